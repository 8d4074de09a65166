"""A shadow ban: its author takes every comment for visible, and nobody else notices one."""

from typing import Any

import pytest
from sqlalchemy import text

from api.kit.services import Services
from models import CommentState, SanctionKind
from tests.client import expect, expect_problem
from tests.credentials import restrict
from tests.lifecycle import add_comment
from tests.moderation.conftest import Forum

MARKER = "zqshadowqz"
# Of anna, who is mentioned.
TEXT = f"{MARKER}, @anna!"


async def list_events(services: Services) -> list[dict[str, Any]]:
    async with services.database.read_session() as session:
        rows = await session.execute(text("SELECT type, payload FROM events ORDER BY id"))
    return [dict(row) for row in rows.mappings()]


async def read_own(forum: Forum, article: str) -> list[tuple[str, str, str]]:
    """Return what the author finds of their own: ids, states and texts."""
    viewer = expect(await forum.author.client.get(f"/v1/articles/{article}/viewer"), 200)
    return [(one["id"], one["state"], one["body"]) for one in viewer["pending_comments"]]


async def find_leaks(forum: Forum, article: str, comment: str) -> list[str]:
    """Return the paths that show the marker to others than the author and moderators."""
    paths = (
        *(f"/v1/articles/{article}", f"/v1/articles/{article}/viewer"),
        *(f"/v1/articles/{article}/comments", f"/v1/articles/{article}/comments/flat"),
        *(f"/v1/comments/{comment}", f"/v1/comments/{comment}/revisions"),
        *("/v1/users/olga", "/v1/users/olga/comments"),
    )
    return [
        path
        for path in paths
        for client in (forum.client, forum.reader.client)
        if MARKER in (await client.get(path)).text
    ]


@pytest.fixture
async def article(forum: Forum) -> str:
    article = str((await forum.reader.post_article())["id"])
    await restrict(forum.services, forum.author.id, SanctionKind.SHADOW_BAN)
    return article


async def test_what_is_written_is_visible_to_its_author_alone(forum: Forum, article: str) -> None:
    comment = await forum.author.reply(article, TEXT)
    assert comment["state"] == "visible"
    assert await read_own(forum, article) == [(comment["id"], "visible", TEXT)]
    assert await find_leaks(forum, article, comment["id"]) == []
    refused = await forum.client.get(f"/v1/comments/{comment['id']}")
    expect_problem(refused, 404, "comment_not_found")
    assert expect(await forum.client.get(f"/v1/articles/{article}"), 200)["comment_count"] == 0
    assert await forum.queue() == []
    events = await list_events(forum.services)
    assert "review_requested" not in {event["type"] for event in events}
    assert forum.reader.id not in str([e for e in events if e["type"].startswith("comment")])


async def test_an_edit_publishes_nothing(forum: Forum, article: str) -> None:
    comment = (await forum.author.reply(article, "First."))["id"]
    # The same text again changes nothing, and says nothing.
    for body in (TEXT, TEXT, f"{TEXT} Again."):
        edited = expect(await forum.author.edit_anyway(comment, body), 200)
        assert (edited["state"], edited["body"]) == ("visible", body)
        assert await read_own(forum, article) == [(comment, "visible", body)]
    assert await find_leaks(forum, article, comment) == []
    assert await forum.queue() == []
    edits = [e for e in await list_events(forum.services) if e["type"] == "comment_edited"]
    assert len(edits) == 2
    assert forum.reader.id not in str(edits)
    expect_problem(await forum.reader.edit_anyway(comment, "Another's."), 404, "comment_not_found")
    expect(await forum.author.take_back_anyway(comment), 204)
    assert await read_own(forum, article) == []


async def test_an_edit_of_what_was_visible_before_hides_it_from_others(forum: Forum) -> None:
    comment = await forum.post("Before.")
    article = comment["article_id"]
    await restrict(forum.services, forum.author.id, SanctionKind.SHADOW_BAN)
    for body in (TEXT, f"{TEXT} Again."):
        edited = expect(await forum.author.edit_anyway(comment["id"], body), 200)
        assert (edited["state"], edited["body"]) == ("visible", body)
        assert await read_own(forum, article) == [(comment["id"], "visible", body)]
    assert await find_leaks(forum, article, comment["id"]) == []
    assert await forum.queue() == []
    assert forum.reader.id not in str(
        [e for e in await list_events(forum.services) if e["type"] == "comment_edited"]
    )
    expect(await forum.author.take_back_anyway(comment["id"]), 204)


async def test_after_the_ban_what_nobody_saw_stays_so(forum: Forum, article: str) -> None:
    comment = (await forum.author.reply(article, TEXT))["id"]
    async with forum.services.database.write_session() as session:
        await session.execute(text("UPDATE sanctions SET lifted_at = now()"))
    assert await read_own(forum, article) == [(comment, "pending", TEXT)]
    refused = await forum.author.edit_anyway(comment, "Shown?")
    expect_problem(refused, 409, "comment_gone")
    assert await find_leaks(forum, article, comment) == []


async def compare(forum: Forum, article: str, comment: str, unseen: str) -> None:
    """Let the author read two comments of theirs, the second without others seeing it."""
    for path in ("/v1/comments/{}", "/v1/comments/{}/replies", "/v1/comments/{}/context"):
        seen, own = [await forum.author.client.get(path.format(one)) for one in (comment, unseen)]
        assert expect(seen, 200).keys() == expect(own, 200).keys()
        assert own.headers["cache-control"] == "no-store"
        assert seen.headers["cache-control"] == "public, no-cache"
        for client in (forum.client, forum.reader.client, forum.moderator.client):
            refused = await client.get(path.format(unseen))
            expect_problem(refused, 404, "comment_not_found")
    for ask in (
        lambda one: forum.author.client.put(f"/v1/comments/{one}/vote", {"value": 1}),
        lambda one: forum.report(one, by=forum.author),
        lambda one: forum.author.edit(one, f"{MARKER} now."),
        lambda one: forum.author.client.get(f"/v1/comments/{one}/revisions"),
    ):
        seen, own = [await ask(one) for one in (comment, unseen)]
        assert (seen.status_code, seen.json().keys()) == (own.status_code, own.json().keys())


async def test_nothing_that_its_author_asks_for_tells_of_it(forum: Forum) -> None:
    article = str((await forum.reader.post_article())["id"])
    comment = (await forum.author.reply(article, "Before."))["id"]
    await restrict(forum.services, forum.author.id, SanctionKind.SHADOW_BAN)
    unseen = await forum.author.reply(article, TEXT)
    own = expect(await forum.author.client.get(f"/v1/comments/{unseen['id']}"), 200)
    assert own == {name: value for name, value in unseen.items() if name in own}
    assert own["mentions"][0]["handle"] == "anna"
    # Not the first comment: what it says is hidden with its edit.
    other = (await forum.reader.reply(article, "Between."))["id"]
    reply = await forum.author.reply(article, f"{MARKER} again.", unseen["id"])
    assert (reply["state"], reply["depth"]) == ("visible", 1)
    context = await forum.author.client.get(f"/v1/comments/{reply['id']}/context")
    line = expect(context, 200)["ancestors"]
    assert [(one["id"], one["state"], one["body"]) for one in line] == [
        (unseen["id"], "visible", TEXT)
    ]
    refused = await forum.reader.client.post(
        f"/v1/articles/{article}/comments", {"body": "So?", "parent_id": unseen["id"]}
    )
    expect_problem(refused, 404, "parent_not_found")
    expect(await forum.author.client.get("/v1/users/olga/comments?limit=1"), 200)
    listed = await forum.author.client.get("/v1/users/olga/comments")
    assert listed.headers["cache-control"] == "no-store"
    states = [(one["id"], one["state"]) for one in expect(listed, 200)["data"]]
    assert states == [(one, "visible") for one in (reply["id"], unseen["id"], comment)]
    for someone in (forum.client, forum.reader.client):
        shown = expect(await someone.get("/v1/users/olga/comments"), 200)["data"]
        assert [one["id"] for one in shown] == [comment]
    await compare(forum, article, comment, unseen["id"])
    assert await find_leaks(forum, article, unseen["id"]) == []
    assert await find_leaks(forum, article, comment) == []
    assert other in str(await forum.client.tree(article))


async def test_what_moderators_hid_is_hidden_for_its_author_too(forum: Forum) -> None:
    comment = await forum.post("Before.")
    article = comment["article_id"]
    pending = await add_comment(
        forum.services, forum.author, article, None, CommentState.PENDING, text="Waits."
    )
    await forum.act("hide", comment["id"])
    await restrict(forum.services, forum.author.id, SanctionKind.SHADOW_BAN)
    unseen = (await forum.author.reply(article, TEXT))["id"]
    assert await read_own(forum, article) == [
        (unseen, "visible", TEXT),
        (pending, "pending", "Waits."),
    ]
    refused = await forum.author.edit_anyway(comment["id"], "Mine.")
    expect_problem(refused, 404, "comment_not_found")
    # A decision of moderators about what the ban withholds is one like any other.
    [shown] = await forum.act("approve", unseen)
    assert shown["state"] == "visible"
    await forum.act("hide", unseen)
    assert await read_own(forum, article) == [(pending, "pending", "Waits.")]


async def test_a_reply_can_be_shown_above_which_something_stays_unseen(
    forum: Forum, article: str
) -> None:
    unseen = (await forum.author.reply(article, TEXT))["id"]
    reply = (await forum.author.reply(article, "Harmless.", unseen))["id"]
    [shown] = await forum.act("approve", reply)
    assert shown["state"] == "visible"
    [placeholder] = (await forum.client.tree(article))["data"]
    assert (placeholder["id"], placeholder["state"], placeholder["body"]) == (
        unseen,
        "hidden",
        None,
    )
    assert [one["id"] for one in placeholder["replies"]["data"]] == [reply]
    assert await read_own(forum, article) == [(unseen, "visible", TEXT)]
    own = expect(await forum.author.client.get(f"/v1/comments/{unseen}"), 200)
    assert (own["state"], own["body"]) == ("visible", TEXT)
    assert await find_leaks(forum, article, unseen) == []
