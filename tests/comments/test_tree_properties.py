"""What holds for every tree: paging meets every comment exactly once, whatever its shape."""

import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.kit.services import Services
from tests.client import Client, Person, expect, flatten
from tests.forest import give_votes, grow

SORTS = ("best", "new", "old", "top", "hot", "controversial")

# The i-th number says to whom the i-th comment replies: to the article, or to an earlier one.
shapes = st.lists(st.integers(min_value=0, max_value=10**6), min_size=1, max_size=40)


def to_parents(shape: list[int]) -> list[int | None]:
    return [n % (i + 1) - 1 if n % (i + 1) else None for i, n in enumerate(shape)]


async def walk(client: Client, article: str, **params: Any) -> AsyncIterator[dict[str, Any]]:
    """Yield the pages of a whole tree, by following every cursor of every page."""
    pages = [await client.tree(article, **params)]
    while pages:
        page = pages.pop()
        yield page
        assert len(page["data"]) <= (params.get("limit") or 50)
        cursors = [page["page"]["next_cursor"]]
        for node in flatten(page["data"]):
            replies = node["replies"]
            assert node["reply_count"] == len(replies["data"]) + replies["remaining"]
            assert (replies["next_cursor"] is None) == (replies["remaining"] == 0)
            cursors.append(replies["next_cursor"])
        pages += [
            await client.tree(article, cursor=cursor) for cursor in cursors if cursor is not None
        ]


@pytest.fixture
async def person(client: Client) -> Person:
    return await client.join()


@settings(max_examples=40)
@given(
    shape=shapes,
    sort=st.sampled_from(SORTS),
    limit=st.integers(1, 4),
    children=st.integers(0, 3),
    depth=st.integers(1, 4),
    seed=st.integers(0, 10**6),
)
async def test_paging_meets_every_comment_once(
    client: Client,
    services: Services,
    person: Person,
    shape: list[int],
    sort: str,
    limit: int,
    children: int,
    depth: int,
    seed: int,
) -> None:
    article = await person.post_article()
    parents = to_parents(shape)
    ids = await grow(services, article["id"], parents)
    chance = random.Random(seed)
    await give_votes(services, {i: (chance.randrange(3), chance.randrange(3)) for i in ids})
    await services.redis.call(lambda redis: redis.flushdb())
    params = {"sort": sort, "limit": limit, "children": children, "depth": depth}
    pages = [page async for page in walk(client, article["id"], **params)]
    met = [node for page in pages for node in flatten(page["data"])]
    assert sorted(node["id"] for node in met) == sorted(ids)
    parent_of = {ids[i]: None if p is None else ids[p] for i, p in enumerate(parents)}
    assert {node["id"]: node["parent_id"] for node in met} == parent_of
    for node in met:
        below = [one for one in ids if node["id"] in line_of(one, parent_of)]
        assert node["descendant_count"] == len(below)
        assert node["depth"] == len(line_of(node["id"], parent_of))


def line_of(one: str, parent_of: dict[str, str | None]) -> list[str]:
    line = []
    parent = parent_of[one]
    while parent is not None:
        line.append(parent)
        parent = parent_of[parent]
    return line


@settings(max_examples=15)
@given(
    sort=st.sampled_from(["new", "old"]),
    steps=st.lists(st.sampled_from(["root", "reply", "delete"]), min_size=3, max_size=8),
    seed=st.integers(0, 10**6),
)
async def test_paging_by_time_while_others_write(
    client: Client,
    services: Services,
    person: Person,
    sort: str,
    steps: list[str],
    seed: int,
) -> None:
    """No comment that was there all the time is skipped, and none is met twice."""
    article = await person.post_article()
    chance = random.Random(seed)
    there = await grow(services, article["id"], [None] * 12, author_id=person.id)
    stayed = set(there)
    met: list[str] = []
    page = await client.tree(article["id"], sort=sort, limit=2)
    for step in [*steps, *["none"] * 12]:
        met += [node["id"] for node in page["data"]]
        if step == "root":
            await person.reply(article["id"])
        elif step == "reply":
            await person.reply(article["id"], parent=chance.choice(sorted(stayed)))
        elif step == "delete":
            gone = chance.choice(sorted(stayed))
            expect(await person.take_back(gone), 204)
            stayed.discard(gone)
        cursor = page["page"]["next_cursor"]
        if cursor is None:
            break
        page = await client.tree(article["id"], cursor=cursor)
    assert len(met) == len(set(met))
    assert stayed <= set(met)


async def test_voted_orders_meet_once_what_did_not_move(
    client: Client, services: Services, person: Person
) -> None:
    article = await person.post_article()
    ids = await grow(services, article["id"], [None] * 20)
    await give_votes(services, {one: (n, 20 - n) for n, one in enumerate(ids)})
    for sort in ("best", "top", "hot", "controversial"):
        movers = set(ids[3:20:4])
        page = await client.tree(article["id"], sort=sort, limit=3)
        met: list[str] = []
        while True:
            met += [node["id"] for node in page["data"]]
            await give_votes(
                services, {one: (random.randrange(40), random.randrange(40)) for one in movers}
            )
            if page["page"]["next_cursor"] is None:
                break
            page = await client.tree(article["id"], cursor=page["page"]["next_cursor"])
        still = [one for one in met if one not in movers]
        assert sorted(still) == sorted(set(ids) - movers)


async def test_remaining_counts_what_follows(
    client: Client, services: Services, person: Person
) -> None:
    article = await person.post_article()
    ids = await grow(services, article["id"], [None] * 230)
    for sort in ("old", "new", "best"):
        page = await client.tree(article["id"], sort=sort, limit=10, depth=1)
        passed = 10
        while True:
            assert page["page"]["remaining"] == len(ids) - passed
            if page["page"]["next_cursor"] is None:
                break
            page = await client.tree(article["id"], cursor=page["page"]["next_cursor"])
            passed += len(page["data"])
        assert passed == len(ids)


async def test_remaining_is_exact_near_the_end_whatever_was_written(
    client: Client, services: Services, person: Person
) -> None:
    article = await person.post_article()
    await grow(services, article["id"], [None] * 8)
    page = await client.tree(article["id"], sort="new", limit=4)
    # These stand before the cursor: they are not among those that follow.
    for _ in range(7):
        await person.reply(article["id"])
    page = await client.tree(article["id"], cursor=page["page"]["next_cursor"])
    assert len(page["data"]) == 4
    assert page["page"] == {"next_cursor": None, "has_more": False, "remaining": 0}
