"""Decisions of moderators: what each makes of a comment, and what is left behind."""

from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from api.kit.services import Services
from models import CommentState
from tests.client import Client, Person, expect, expect_problem
from tests.connections import connect_arguments
from tests.lifecycle import add_comment, change_states
from tests.moderation.conftest import Forum


async def read_state(forum: Forum, comment: str) -> str:
    return str((await forum.inspect(comment))["comment"]["state"])


async def test_a_removed_comment_can_be_restored(forum: Forum) -> None:
    comment = (await forum.post())["id"]
    [removed] = await forum.act("remove", comment)
    assert removed["is_done"]
    assert (removed["state"], removed["problem"]) == ("removed", None)
    expect_problem(await forum.client.get(f"/v1/comments/{comment}"), 404, "comment_not_found")
    [restored] = await forum.act("restore", comment, reason=None, etag=removed["etag"])
    assert restored["state"] == "visible"
    assert expect(await forum.client.get(f"/v1/comments/{comment}"), 200)["body"] == "I see."
    entries = await forum.log(comment_id=comment)
    assert [entry["action"] for entry in entries] == ["restore", "remove"]
    assert entries[1]["id"] == removed["log_id"]
    assert entries[1]["reason"] == "spam"
    assert entries[1]["actor"]["id"] == (await forum.inspect(comment))["log"][0]["actor"]["id"]
    assert entries[1]["user"]["handle"] == "olga"
    assert (entries[1]["before"]["state"], entries[1]["after"]["state"]) == ("visible", "removed")


@pytest.mark.parametrize(
    ("action", "takes"),
    [
        ("approve", {"pending": "visible", "visible": "visible", "hidden": "visible"}),
        ("hide", {"visible": "hidden"}),
        ("remove", {"pending": "removed", "visible": "removed", "hidden": "removed"}),
        ("restore", {"hidden": "visible", "removed": "visible"}),
        ("escalate", {name: name for name in ("pending", "visible", "hidden", "removed")}),
        ("undo", {}),
    ],
)
async def test_what_each_action_makes_of_each_state(
    forum: Forum, action: str, takes: dict[str, str]
) -> None:
    article = (await forum.author.post_article())["id"]
    made = {}
    for state in CommentState:
        initial = CommentState.PENDING if state == "pending" else CommentState.VISIBLE
        made[state.value] = await add_comment(forum.services, forum.author, article, None, initial)
    await forum.author.take_back_anyway(made["deleted"])

    for state in ("hidden", "removed"):
        await change_states(forum.services, article, [made[state]], CommentState(state))
    results = await forum.act(action, *made.values())
    for state, result in zip(made, results, strict=True):
        assert result["comment_id"] == made[state]
        if state in takes:
            assert (result["is_done"], result["state"]) == (True, takes[state]), (state, result)
        else:
            assert result["problem"]["status"] == 409, (state, result)
            code = "nothing_to_undo" if action == "undo" else "action_not_possible"
            assert result["problem"]["code"] == code
            assert result["etag"] is result["log_id"] is result["state"] is None
    assert len(await forum.log()) == len(takes)


@pytest.mark.parametrize("action", ["hide", "remove"])
async def test_a_reason_is_required(forum: Forum, action: str) -> None:
    comment = (await forum.post())["id"]
    problem = expect_problem(
        await forum.ask(action, comment, reason=None), 422, "validation_failed"
    )
    assert "reason" in problem["errors"][0]["detail"]
    problem = expect_problem(await forum.ask(action, comment, comment), 422, "validation_failed")
    assert "once" in problem["errors"][0]["detail"]


async def test_many_comments_of_two_threads_change_once_each(forum: Forum) -> None:
    threads = [(await forum.author.post_article())["id"] for _ in range(2)]
    comments = {
        article: [(await forum.author.reply(article))["id"] for _ in range(3)]
        for article in threads
    }
    before = {one: (await forum.client.tree(one))["version"] for one in threads}
    mixed = [one for pair in zip(*comments.values(), strict=True) for one in pair]
    stranger = "0198f2c5-6f3a-7000-8000-000000000001"
    results = await forum.act("remove", *mixed, stranger)
    assert [result["comment_id"] for result in results] == [*mixed, stranger]
    assert [result["is_done"] for result in results] == [True] * 6 + [False]
    assert results[-1]["problem"]["code"] == "comment_not_found"
    for article in threads:
        tree = await forum.client.tree(article)
        assert tree["data"] == []
        assert tree["version"] == before[article] + 1


async def test_of_two_moderators_the_second_is_told(
    forum: Forum, make_staff: Callable[[str], Awaitable[Person]]
) -> None:
    comment = (await forum.post())["id"]
    seen = (await forum.inspect(comment))["comment"]["etag"]
    admin = await make_staff("admin")
    [first] = await forum.act("remove", comment, etag=seen)
    assert first["is_done"]
    [second] = await forum.act("approve", comment, by=admin, etag=seen)
    assert second["problem"]["code"] == "precondition_failed"
    assert second["problem"]["status"] == 412
    [damaged] = await forum.act("approve", comment, etag='"1"')
    assert damaged["problem"]["code"] == "precondition_failed"
    assert await read_state(forum, comment) == "removed"
    seen = (await forum.inspect(comment))["comment"]["etag"]
    [restored] = await forum.act("restore", comment, etag=seen)
    assert restored["is_done"]


@pytest.mark.parametrize("initial", ["pending", "visible", "hidden"])
@pytest.mark.parametrize("action", ["approve", "remove"])
async def test_a_decision_is_undone_once(forum: Forum, initial: str, action: str) -> None:

    article = (await forum.author.post_article())["id"]
    state = CommentState.PENDING if initial == "pending" else CommentState.VISIBLE
    comment = await add_comment(forum.services, forum.author, article, None, state)
    if initial == "hidden":
        await change_states(forum.services, article, [comment], CommentState.HIDDEN)
    waited = (await forum.inspect(comment))["item"]
    [done] = await forum.act(action, comment)
    assert (await forum.inspect(comment))["item"] is None
    [undone] = await forum.act("undo", comment, reason=None)
    # What was held may have been shown since: it waits again, hidden.
    assert undone["state"] == ("hidden" if initial == "pending" else initial)
    assert (await forum.inspect(comment))["item"] == waited
    entry = (await forum.log(comment_id=comment))[0]
    assert (entry["action"], entry["undoes_id"]) == ("undo", done["log_id"])
    [again] = await forum.act("undo", comment, reason=None)
    assert again["problem"]["code"] == "nothing_to_undo"


async def test_only_the_newest_decision_is_undone_and_only_before_a_change(forum: Forum) -> None:
    comment = (await forum.post())["id"]
    await forum.act("approve", comment)
    expect(await forum.author.edit(comment, "Something else."), 200)
    [result] = await forum.act("undo", comment)
    assert result["problem"]["code"] == "nothing_to_undo"


async def test_undoing_leads_each_comment_to_where_it_was(forum: Forum) -> None:
    """Several states in one thread, and placeholders above: counters are checked at the end."""
    article = (await forum.author.post_article())["id"]
    top = (await forum.author.reply(article))["id"]
    below = (await forum.author.reply(article, parent=top))["id"]
    await forum.act("hide", below)
    await forum.act("remove", top, below)
    assert (await forum.client.tree(article))["data"] == []
    results = await forum.act("undo", top, below)
    assert [result["state"] for result in results] == ["visible", "hidden"]
    [node] = (await forum.client.tree(article))["data"]
    assert (node["id"], node["reply_count"]) == (top, 0)


async def test_a_moderators_delete_is_logged_as_a_removal(forum: Forum) -> None:
    comment = (await forum.post())["id"]
    expect(await forum.report(comment), 201)
    expect(await forum.moderator.take_back(comment), 204)
    [entry] = await forum.log(comment_id=comment)
    assert (entry["action"], entry["actor"]["handle"]) == ("remove", "staff-moderator")
    assert await forum.queue() == []
    seen = await forum.inspect(comment)
    assert seen["reports"][0]["state"] == "upheld"
    [undone] = await forum.act("undo", comment)
    assert undone["state"] == "visible"
    [item] = await forum.queue()
    assert item["reports"][0]["state"] == "open"


async def test_an_authors_delete_ends_the_wait_and_is_not_logged(forum: Forum) -> None:
    comment = (await forum.post())["id"]
    expect(await forum.report(comment), 201)
    expect(await forum.author.take_back(comment), 204)
    assert await forum.queue() == []
    assert await forum.log() == []


async def test_escalated_comments_are_for_moderators_of_the_whole_forum(forum: Forum) -> None:
    comment = (await forum.post())["id"]
    await forum.act("escalate", comment, reason=None)
    [item] = await forum.queue(escalated=True)
    assert item["is_escalated"]
    assert item["source"] == "flagged"
    assert await forum.queue(escalated=False) == []
    await forum.act("undo", comment)
    [item] = await forum.queue(escalated=False)
    assert not item["is_escalated"]


async def test_members_decide_nothing(forum: Forum) -> None:
    comment = (await forum.post())["id"]
    refused = await forum.ask("remove", comment, by=forum.reader)
    expect_problem(refused, 403, "not_a_moderator")


async def test_nothing_changes_the_log(forum: Forum, services: Services, database_url: str) -> None:
    comment = (await forum.post())["id"]
    await forum.act("remove", comment)
    connection: Any = await asyncpg.connect(**connect_arguments(database_url))
    try:
        for statement in ("UPDATE moderation_log SET note = 'x'", "DELETE FROM moderation_log"):
            with pytest.raises(asyncpg.CheckViolationError, match="only added to"):
                await connection.execute(statement)
    finally:
        await connection.close()


async def test_a_client_that_sends_it_again_changes_nothing(forum: Forum, client: Client) -> None:
    comment = (await forum.post())["id"]
    seen = (await forum.inspect(comment))["comment"]["etag"]
    await forum.act("remove", comment, etag=seen)
    [again] = await forum.act("remove", comment, etag=seen)
    assert again["problem"]["code"] == "precondition_failed"
    assert len(await forum.log(comment_id=comment)) == 1
