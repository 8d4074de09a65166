"""The queue: what an item shows, whose turn it is, and what a page costs."""

from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from api.kit.services import Services
from api.moderation.policy import EVERYTHING
from api.moderation.queue import queries
from api.moderation.queue.queries import QueueFilter, QueueOrder
from models import ReviewSource
from tests.client import Person, expect, expect_problem
from tests.conftest import MovableClock
from tests.forest import grow
from tests.moderation.conftest import Forum
from tests.plans import explain
from tests.screening.rules import add_rules

ANY_VERSION = {"If-Match": "*"}


@pytest.fixture
async def other(forum: Forum, make_staff: Any) -> Person:
    """A second moderator, who is an administrator."""
    person: Person = await make_staff("admin")
    return person


async def wait_for_review(forum: Forum) -> tuple[str, str]:
    """Let a comment be reported; return its id and that of its item."""
    comment = (await forum.post())["id"]
    expect(await forum.report(comment), 201)
    item = expect(await forum.moderator.client.get(f"/v1/comments/{comment}/moderation"), 200)
    return comment, item["item"]["id"]


async def claim(by: Person, item: str) -> Any:
    return await by.client.post(f"/v1/moderation/queue/{item}/claim")


async def test_of_two_claimants_the_second_waits_until_the_claim_ends(
    forum: Forum, other: Person, clock: MovableClock
) -> None:
    comment, item = await wait_for_review(forum)
    taken = expect(await claim(forum.moderator, item), 200)
    assert taken["item_id"] == item
    expect_problem(await claim(other, item), 409, "claimed_by_another")
    released = await other.client.delete(f"/v1/moderation/queue/{item}/claim")
    expect_problem(released, 409, "claimed_by_another")
    for action in ("approve", "hide", "escalate"):
        [refused] = await forum.act(action, comment, by=other)
        assert (refused["is_done"], refused["problem"]["code"]) == (False, "claimed_by_another")
    deleted = await other.client.delete(f"/v1/comments/{comment}", headers=ANY_VERSION)
    expect_problem(deleted, 409, "claimed_by_another")
    assert expect(await forum.client.get(f"/v1/comments/{comment}"), 200)["state"] == "visible"
    assert [one["action"] for one in await forum.log()] == []
    [seen] = await forum.queue(by=other)
    assert seen["claim"]["by"]["handle"] == "staff-moderator"
    assert await forum.queue(by=other, claimed="free") == []
    # Again it lasts longer, and then it ends by itself.
    clock.advance(minutes=9)
    again = expect(await claim(forum.moderator, item), 200)
    assert datetime.fromisoformat(again["until"]) > datetime.fromisoformat(taken["until"])
    clock.advance(minutes=9)
    forum.moderator = await forum.client.log_in("staff-moderator")
    other = await forum.client.log_in("staff-admin")
    expect_problem(await claim(other, item), 409, "claimed_by_another")
    clock.advance(minutes=2)
    assert (await forum.queue(by=other))[0]["claim"] is None
    expect(await claim(other, item), 200)
    expect_problem(await claim(forum.moderator, item), 409, "claimed_by_another")
    deleted = await other.client.delete(f"/v1/comments/{comment}", headers=ANY_VERSION)
    expect(deleted, 204)
    assert await forum.queue() == []


async def test_a_claim_that_was_released_is_free(forum: Forum, other: Person) -> None:
    _, item = await wait_for_review(forum)
    expect(await claim(forum.moderator, item), 200)
    path = f"/v1/moderation/queue/{item}/claim"
    expect(await forum.moderator.client.delete(path), 204)
    expect(await claim(other, item), 200)


async def test_an_item_shows_where_screening_found_what(forum: Forum, services: Services) -> None:
    await add_rules(services, ("word", "blorp", "hold"), ("pattern", r"gr[o0]nk+", "flag"))
    article = (await forum.reader.post_article())["id"]
    body = "No gr0nk, \N{LATIN SMALL LETTER A WITH DIAERESIS} B l 0 r p!"
    held = await forum.author.reply(article, body)
    assert held["state"] == "pending"
    [item] = await forum.queue(source="held")
    assert item["comment"]["body"] == body
    found = {
        one["rule"]: (body[one["start"] : one["end"]], one["outcome"]) for one in item["findings"]
    }
    assert found == {
        "word: blorp": ("B l 0 r p", "hold"),
        r"pattern: gr[o0]nk+": ("gr0nk", "flag"),
    }


async def test_the_same_key_decides_once(forum: Forum) -> None:
    comment = await forum.post()
    body = {
        "action": "hide",
        "reason": "spam",
        "targets": [{"comment_id": comment["id"], "etag": "*"}],
    }
    key = {"Idempotency-Key": "once"}
    path = "/v1/moderation/actions"
    first = await forum.moderator.client.post(path, body, headers=key)
    [result] = expect(first, 200)["data"]
    assert result["is_done"]
    # Without the key it would not be possible any more.
    again = await forum.moderator.client.post(path, body, headers=key)
    assert again.headers["idempotent-replayed"] == "true"
    assert again.content == first.content
    [refused] = await forum.act("hide", comment["id"])
    assert refused["problem"]["code"] == "action_not_possible"
    other = await forum.moderator.client.post(path, {**body, "action": "remove"}, headers=key)
    expect_problem(other, 422, "idempotency_key_reused")


_WAIT = text("""
INSERT INTO review_items (id, comment_id, article_id, source, severity, opened_at)
SELECT gen_random_uuid(), c.id, c.article_id,
       CASE WHEN random() < 0.5 THEN 'held' ELSE 'reported' END, random() * 10, c.created_at
FROM comments c
""")


async def test_a_page_costs_as_much_as_it_shows(
    forum: Forum, services: Services, clock: MovableClock
) -> None:
    article = (await forum.author.post_article())["id"]
    elsewhere = (await forum.author.post_article())["id"]
    for one in (article, elsewhere):
        await grow(services, one, [None] * 400)
    async with services.database.write_session() as session:
        await session.execute(_WAIT)
        # Of a few rows the planner takes any index.
        await session.execute(text("ANALYZE review_items, comments, articles"))
    for order, index in ((QueueOrder.OLDEST, "oldest"), (QueueOrder.WORST, "worst")):
        for filters, name in (
            ({}, f"ix_review_items_{index}"),
            ({"source": ReviewSource.HELD}, f"ix_review_items_source_{index}"),
            ({"article_id": UUID(article)}, f"ix_review_items_article_{index}"),
        ):
            wanted = QueueFilter(order=order, **filters)
            found = await explain(
                services,
                lambda session, wanted=wanted: queries.list_items(
                    session,
                    EVERYTHING,
                    wanted,
                    moderator_id=None,
                    now=clock.now(),
                    after=None,
                    limit=10,
                ),
            )
            assert f"Index Scan review_items {name}" in found.scans, (wanted, found.scans)
            # Of each item its comment, article and author.
            assert found.rows <= 11 * 4, (wanted, found.scans)
