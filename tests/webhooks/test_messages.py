"""What webhooks are told: what everybody sees, as everybody sees it, and nothing else."""

from typing import Any

from api.kit.services import Services
from models import CommentState
from tests.client import Client, expect
from tests.lifecycle import add_comment, change_states
from tests.webhooks.conftest import ConnectReceiver
from tests.working import work_off


async def test_every_change_that_everybody_sees_is_told_as_the_api_shows_it(
    client: Client, services: Services, connect_receiver: ConnectReceiver
) -> None:
    receiver = await connect_receiver()
    author = await client.join()

    async def read_told() -> Any:
        """Let the worker tell of the change, and return the one message that came."""
        before = len(receiver.ids)
        await work_off(services)
        assert len(receiver.ids) == before + 1
        return receiver.read_last()

    article = await author.post_article(external_id="post-1", tags=["space"])
    told = await read_told()
    path = f"/v1/articles/{article['id']}"
    assert told["type"] == "article.created"
    assert told["timestamp"] == article["created_at"]
    assert told["data"] == {
        "article_id": article["id"],
        "version": 0,
        "article": expect(await client.get(path), 200),
    }
    assert receiver.ids[-1] == f"evt_{article['id']}_0"

    comment = await author.reply(article["id"], "Hello.")
    told = await read_told()
    shown = expect(await client.get(f"/v1/comments/{comment['id']}"), 200)
    listed = expect(await client.get("/v1/articles"), 200)["data"][0]
    assert (told["type"], told["timestamp"]) == ("comment.created", comment["created_at"])
    assert told["data"] == {
        "article_id": article["id"],
        "version": 1,
        "comment_ids": [comment["id"]],
        "article": listed,
        "comments": [shown],
    }
    assert receiver.ids[-1] == f"evt_{article['id']}_1"

    expect(await author.edit_anyway(comment["id"], "Hello again."), 200)
    told = await read_told()
    assert told["type"] == "comment.edited"
    assert told["data"]["comments"][0]["body"] == "Hello again."
    expect(await author.client.patch(path, {"title": "T"}, headers={"If-Match": "*"}), 200)
    told = await read_told()
    assert (told["type"], told["data"]["article"]["title"]) == ("article.edited", "T")
    for state, kind in (
        (CommentState.HIDDEN, "comment.removed"),
        (CommentState.VISIBLE, "comment.restored"),
        (CommentState.DELETED, "comment.removed"),
    ):
        await change_states(services, article["id"], [comment["id"]], state)
        told = await read_told()
        assert told["type"] == kind
        assert told["data"]["comment_ids"] == [comment["id"]]
        assert ("comments" in told["data"]) == (kind == "comment.restored")
    expect(await author.client.delete(path, headers={"If-Match": "*"}), 204)
    told = await read_told()
    version = told["data"]["version"]
    assert told["type"] == "article.removed"
    assert told["data"] == {"article_id": article["id"], "version": version}
    assert len(set(receiver.ids)) == len(receiver.ids)


async def test_what_is_not_public_is_not_told_of(
    client: Client, services: Services, connect_receiver: ConnectReceiver
) -> None:
    receiver = await connect_receiver()
    author = await client.join()
    article = (await author.post_article())["id"]
    await work_off(services)
    held = await add_comment(services, author, article, None, CommentState.PENDING)
    refused = await author.client.post(f"/v1/articles/{article}/comments", {"body": " "})
    assert refused.status_code == 422
    await work_off(services)
    assert receiver.types == ["article.created"]
    # A text that is hidden before it is sent is not sent; that it is gone, is.
    hidden = await author.reply(article)
    await change_states(services, article, [hidden["id"]], CommentState.HIDDEN)
    await work_off(services)
    assert receiver.types == ["article.created", "comment.removed"]
    # It is told of when it is approved, beside what was seen before.
    await change_states(services, article, [held, hidden["id"]], CommentState.VISIBLE)
    await work_off(services)
    assert receiver.types[2:] == ["comment.created", "comment.restored"]
    assert receiver.ids[2:] == [f"evt_{article}_4_created", f"evt_{article}_4_restored"]
    # Votes, and the names of people, are no messages.
    expect(await client.get(f"/v1/articles/{article}"), 200)
    voter = await client.join()
    expect(await voter.client.put(f"/v1/comments/{held}/vote", {"value": 1}), 200)
    renamed = await author.client.patch(
        "/v1/me", {"display_name": "New"}, headers={"If-Match": "*"}
    )
    expect(renamed, 200)
    await work_off(services)
    assert len(receiver.types) == 4


async def test_a_webhook_is_told_of_what_it_asks_for(
    client: Client, services: Services, admin: Client, connect_receiver: ConnectReceiver
) -> None:
    author = await client.join()
    article = (await author.post_article(tags=["space"]))["id"]
    await work_off(services)
    of_type = await connect_receiver(event_types=["comment.removed"])
    of_tag = await connect_receiver(tag="space")
    of_article = await connect_receiver(article_id=article)
    off, deleted = await connect_receiver(), await connect_receiver()
    any_version = {"If-Match": "*"}
    expect(await admin.patch(off.path, {"is_enabled": False}, headers=any_version), 200)
    other = await author.post_article(tags=["sea"])
    tagged = await author.post_article(tags=["space"])
    comment = await author.reply(article)
    # What waits for it goes with it.
    expect(await admin.delete(deleted.path, headers=any_version), 204)
    await work_off(services)
    assert of_type.ids == off.ids == deleted.ids == []
    assert sorted(of_tag.ids) == sorted([f"evt_{article}_1", f"evt_{tagged['id']}_0"])
    assert of_article.ids == [f"evt_{article}_1"]
    expect(await author.take_back_anyway(comment["id"]), 204)
    await author.reply(other["id"])
    await work_off(services)
    assert of_type.ids == [f"evt_{article}_2"]
    assert len(of_tag.ids) == 3
