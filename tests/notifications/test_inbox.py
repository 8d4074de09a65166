"""The inbox: orders, pages, groups, counts, and what is marked as read."""

from uuid import UUID

import pytest
from sqlalchemy import text

from api.jobs import JOBS
from api.kit.services import Services
from api.notifications.inbox import queries
from models import CommentState
from tests.client import Client, Person, expect, expect_problem
from tests.conftest import MovableClock
from tests.lifecycle import change_states
from tests.notifications.inboxes import check_inboxes, count_unread, list_inbox, mark_read
from tests.plans import explain

_FILL = text("""
INSERT INTO notifications (id, user_id, number, kind, object_id, article_id, group_id, created_at,
                           read_at)
SELECT gen_random_uuid(), :user_id, n, 'new_article', gen_random_uuid(), :article_id, :article_id,
       now(), CASE WHEN n % 500 <> 0 THEN now() END
FROM generate_series(1, :count) n
""")


@pytest.fixture
async def people(client: Client) -> list[Person]:
    return [await client.join(name) for name in ("ann", "ben", "cem", "dee", "eve")]


async def test_orders_and_pages(client: Client, services: Services, people: list[Person]) -> None:
    ann, ben, *_ = people
    article = (await ann.post_article())["id"]
    other = (await ann.post_article("Another"))["id"]
    for n in range(7):
        await ben.reply(other if n % 3 == 0 else article, f"Number {n}.")
    numbers = [one["number"] for one in await list_inbox(ann, limit=2)]
    assert numbers == [7, 6, 5, 4, 3, 2, 1]
    ids = {one["number"]: one["id"] for one in await list_inbox(ann)}
    left = await mark_read(ann, ids=[ids[5], ids[2]])
    assert left == {"unread": 5, "has_more": False}
    assert await mark_read(ann, article_id=other, up_to=4) == {"unread": 3, "has_more": False}
    for limit in (1, 2, 3, 4, 5, 100):
        listed = await list_inbox(ann, order="unread_first", limit=limit)
        assert [one["number"] for one in listed] == [7, 6, 3, 5, 4, 2, 1]
        assert [one["is_read"] for one in listed] == [False] * 3 + [True] * 4
        listed = await list_inbox(ann, unread=True, limit=limit)
        assert [one["number"] for one in listed] == [7, 6, 3]
    await check_inboxes(services, *people)
    # What came since the list was loaded stays unread; what is of others, too.
    await ben.reply(article)
    assert await mark_read(ann, up_to=7) == {"unread": 1, "has_more": False}
    assert await mark_read(ben, ids=[one["id"] for one in await list_inbox(ann)]) == {
        "unread": 0,
        "has_more": False,
    }
    assert await count_unread(ann) == 1
    read = await ann.client.get("/v1/me/notifications/count")
    assert expect(read, 200) == {"unread": 1, "last_number": 8}
    page = await ann.client.get("/v1/me/notifications?limit=1")
    cursor = expect(page, 200)["page"]["next_cursor"]
    refused = await ann.client.get("/v1/me/notifications", params={"cursor": cursor, "unread": 1})
    expect_problem(refused, 400, "invalid_cursor")
    for body in (
        *({}, {"ids": []}, {"up_to": -1}, {"up_to": 2**53}, {"up_to": 1.5}, {"up_to": True}),
        *({"up_to": 1, "ids": [ids[1]]}, {"article_id": article, "ids": [ids[1]]}),
    ):
        refused = await ann.client.post("/v1/me/notifications/read", body)
        expect_problem(refused, 422, "validation_failed")


async def test_groups(client: Client, services: Services, people: list[Person]) -> None:
    ann, ben, cem, dee, eve = people
    article = (await ann.post_article())["id"]
    mine = (await ann.reply(article))["id"]
    replies = [(await one.reply(article, parent=mine))["id"] for one in (ben, cem, ben, dee, eve)]
    await ben.reply(article)
    await change_states(services, article, [replies[4]], CommentState.HIDDEN)
    listed = await list_inbox(ann, grouped=True, limit=1)
    assert [one["kind"] for one in listed] == ["article_reply", "comment_reply"]
    of_article, of_comment = (one["group"] for one in listed)
    assert (of_article["count"], of_article["actor_count"]) == (1, 1)
    assert (of_comment["count"], of_comment["actor_count"]) == (4, 3)
    assert [one["handle"] for one in of_comment["actors"]] == ["dee", "ben", "cem"]
    assert listed[1]["comment"]["id"] == replies[3]
    group = {"kind": "article_reply", "group_id": article}
    await mark_read(ann, group=group)
    for order, expected in (("newest", [0, 4]), ("unread_first", [4, 0])):
        listed = await list_inbox(ann, grouped=True, order=order, limit=1)
        assert [one["group"]["unread_count"] for one in listed] == expected
    (listed_unread,) = await list_inbox(ann, grouped=True, unread=True)
    assert listed_unread["group_id"] == mine
    # Restored, it is the newest of its group, and still unread.
    await mark_read(ann, up_to=99)
    await change_states(services, article, [replies[4]], CommentState.VISIBLE)
    assert await count_unread(ann) == 1
    first, _ = await list_inbox(ann, grouped=True, order="unread_first")
    assert (first["comment"]["id"], first["group"]["count"]) == (replies[4], 5)
    await check_inboxes(services, *people)


async def test_the_cost_does_not_grow_with_the_inbox(
    client: Client, services: Services, people: list[Person]
) -> None:
    ann, ben, *_ = people
    article = UUID((await ann.post_article())["id"])
    async with services.database.write_session() as session:
        for person, count in ((ann, 2_000), (ben, 40_000)):
            values = {"user_id": UUID(person.id), "article_id": article, "count": count}
            await session.execute(_FILL, values)
        await session.execute(text("ANALYZE notifications"))
    for is_read, index in (
        (None, "uq_notifications_user_id_number"),
        (False, "ix_notifications_unread"),
        (True, "ix_notifications_read"),
    ):
        costs = []
        for person in (ann, ben):
            me = UUID(person.id)
            costs.append(
                await explain(
                    services,
                    lambda session, me=me, is_read=is_read: queries.list_newest(
                        session, me, is_read=is_read, before=3_000, limit=4
                    ),
                )
            )
        small, large = costs
        assert any(index in scan for scan in large.scans), large.scans
        assert large.rows <= small.rows + 10
    counted = await explain(
        services, lambda session: queries.count_unread(session, UUID(ben.id), limit=1000)
    )
    assert any("ix_notifications_unread" in scan for scan in counted.scans), counted.scans
    assert counted.rows <= 3 * 80
    assert await count_unread(ben) == 80


async def test_old_notifications_are_purged(
    client: Client, services: Services, clock: MovableClock, people: list[Person]
) -> None:
    ann, ben, *_ = people
    article = (await ann.post_article())["id"]
    await ben.reply(article)
    await ben.reply(article)
    await mark_read(ann, up_to=1)
    purges = [job for job in JOBS if job.name.endswith("notifications")]
    for days, left in ((89, [2, 1]), (2, [2]), (273, [2]), (2, [])):
        clock.advance(days=days)
        for job in purges:
            assert not await job.run(services)
        async with services.database.read_session() as session:
            rows = await session.scalars(
                text("SELECT number FROM notifications ORDER BY number DESC")
            )
            assert rows.all() == left
