"""What a person has read: one version for each thread, whatever the device."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from api.comments.unread.queries import find_read_states
from api.kit.services import Services
from models import CommentState
from tests.client import Client, Person, expect, expect_problem
from tests.forest import grow
from tests.lifecycle import add_comment, change_states
from tests.notifications.inboxes import list_inbox
from tests.plans import explain


@pytest.fixture
async def people(client: Client) -> list[Person]:
    return [await client.join(name) for name in ("ann", "ben")]


@pytest.fixture
async def article(people: list[Person]) -> str:
    return str((await people[0].post_article())["id"])


async def read_up_to(person: Person, article: str, version: int) -> dict[str, Any]:
    path = f"/v1/articles/{article}/read-state"
    state: dict[str, Any] = expect(await person.client.put(path, {"version": version}), 200)
    return state


async def count_new(person: Person, article: str) -> int | None:
    """Return how many comments are new, which both operations say."""
    viewer = expect(await person.client.get(f"/v1/articles/{article}/viewer"), 200)
    path = f"/v1/me/read-states?article_id={article}"
    [state] = expect(await person.client.get(path), 200)["data"]
    for name in ("read_version", "new_comment_count"):
        assert viewer[name] == state[name]
    count: int | None = state["new_comment_count"]
    return count


async def test_what_is_new_is_what_others_published_since(
    client: Client, services: Services, people: list[Person], article: str
) -> None:
    ann, ben = people
    held = await add_comment(services, ben, article, None, CommentState.PENDING)
    first = (await ben.reply(article))["id"]
    assert await count_new(ann, article) is None
    version = (await client.tree(article))["version"]
    assert await read_up_to(ann, article, version) == {
        "article_id": article,
        "version": version,
        "read_version": version,
        "new_comment_count": 0,
    }
    second = (await ben.reply(article))["id"]
    await ann.reply(article)
    assert await count_new(ann, article) == 1
    # An edit, a vote, and what is hidden and shown again are not new; what was held is.
    await ben.edit_anyway(first, "Changed.")
    for state in (CommentState.HIDDEN, CommentState.VISIBLE):
        await change_states(services, article, [first], state)
    assert await count_new(ann, article) == 1
    await change_states(services, article, [held], CommentState.VISIBLE)
    assert await count_new(ann, article) == 2
    await change_states(services, article, [second], CommentState.HIDDEN)
    assert await count_new(ann, article) == 1
    await grow(services, article, [None] * 101, author_id=ben.id)
    assert await count_new(ann, article) == 100


async def test_it_never_goes_back_and_never_ahead(
    client: Client, services: Services, people: list[Person], article: str
) -> None:
    ann, ben = people
    for _ in range(3):
        await ben.reply(article)
    assert (await read_up_to(ann, article, 2))["new_comment_count"] == 1
    assert (await read_up_to(ann, article, 1))["read_version"] == 2
    # From another device, which sent a version of another database.
    phone = await client.log_in("ann")
    assert (await read_up_to(phone, article, 2**53 - 1))["read_version"] == 3
    assert await count_new(ann, article) == 0
    async with services.database.write_session() as session:
        await session.execute(text("UPDATE read_states SET version = 900"))
    assert (await read_up_to(ann, article, 1))["read_version"] == 3


async def test_notifications_are_read_up_to_there(
    services: Services, people: list[Person], article: str
) -> None:
    ann, ben = people
    first = (await ben.reply(article, "First."))["id"]
    await ben.reply(article, "Second.")
    third = (await ben.reply(article, "Third."))["id"]
    elsewhere = (await ann.post_article("Another"))["id"]
    await ben.reply(elsewhere, "Elsewhere.")
    assert (await read_up_to(ann, article, 2))["read_version"] == 2
    inbox = {one["comment"]["id"]: one["is_read"] for one in await list_inbox(ann)}
    assert sum(inbox.values()) == 2
    assert inbox[first]
    assert not inbox[third]
    # A new mention in a text from before is not read before the edit is.
    carl = await ann.client.join("carl")
    await read_up_to(carl, article, 3)
    await ben.edit_anyway(first, "First, @carl.")
    await read_up_to(carl, article, 3)
    assert [one["is_read"] for one in await list_inbox(carl)] == [False]
    await read_up_to(carl, article, 4)
    assert [one["is_read"] for one in await list_inbox(carl)] == [True]


async def test_many_threads_at_once(client: Client, people: list[Person], article: str) -> None:
    ann, ben = people
    other, gone = [(await ben.post_article(title))["id"] for title in ("Other", "Gone")]
    await ben.reply(other)
    await read_up_to(ann, other, 0)
    await read_up_to(ann, gone, 0)
    path = f"/v1/articles/{gone}"
    expect(await ben.client.delete(path, headers={"If-Match": "*"}), 204)
    refused = await ann.client.put(f"{path}/read-state", {"version": 1})
    expect_problem(refused, 404, "article_not_found")
    ids = [article, other, gone, *(str(uuid4()) for _ in range(97))]
    response = await ann.client.get("/v1/me/read-states", params={"article_id": ids})
    assert response.headers["cache-control"] == "private, no-cache"
    assert {one["article_id"]: one for one in expect(response, 200)["data"]} == {
        article: {
            "article_id": article,
            "version": 0,
            "read_version": None,
            "new_comment_count": None,
        },
        other: {
            "article_id": other,
            "version": 1,
            "read_version": 0,
            "new_comment_count": 1,
        },
    }
    for refused in (
        await ann.client.get("/v1/me/read-states", params={"article_id": [*ids, article]}),
        await ann.client.get("/v1/me/read-states"),
        *[
            await ann.client.put(f"/v1/articles/{article}/read-state", body)
            for body in ({}, {"version": -1}, {"version": 2**53}, {"version": "1"})
        ],
    ):
        expect_problem(refused, 422, "validation_failed")


async def test_counting_reads_what_is_new_and_not_the_thread(
    services: Services, people: list[Person], article: str
) -> None:
    ann, ben = people
    await grow(services, article, [None] * 500, author_id=ben.id)
    await read_up_to(ann, article, 1)
    await grow(services, article, [None] * 5, author_id=ben.id)

    async with services.database.write_session() as session:
        await session.execute(text("ANALYZE comments"))

    async def find(session: AsyncSession) -> None:
        await find_read_states(session, UUID(ann.id), [UUID(article)])

    explained = await explain(services, find)
    assert explained.rows <= 10, explained.scans
    assert any("ix_comments_published" in scan for scan in explained.scans)
