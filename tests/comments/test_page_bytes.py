"""A page is bounded in bytes, whatever people wrote, and going on from it misses nothing."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from api.comments.projection import MAX_PAGE_BYTES
from api.kit.services import Services
from tests.client import Client, Person, expect, flatten
from tests.comments.test_tree_properties import SORTS, shapes, to_parents, walk
from tests.forest import give_votes, grow

# What the longest legal comment renders to at most (api/kit/text/markup.py).
LARGEST = 131_072
# Beside the texts: keys, numbers, ids, the author, a cursor.
NODE_BYTES = 1_500

sizes = st.lists(st.sampled_from([10, 40_000, 100_000, LARGEST]), min_size=40, max_size=40)


async def set_sizes(services: Services, sizes: dict[str, int]) -> None:
    """Let comments be this many bytes of HTML."""
    async with services.database.write_session() as session:
        for comment_id, size in sizes.items():
            await session.execute(
                text("UPDATE comments SET html = repeat('x', :size) WHERE id = :id"),
                {"size": size, "id": comment_id},
            )
    await services.redis.call(lambda redis: redis.flushdb())


def bytes_of(nodes: list[dict[str, Any]]) -> int:
    return sum(len((node["html"] or "") + (node["body"] or "")) for node in nodes)


@pytest.fixture
async def person(client: Client) -> Person:
    return await client.join()


@settings(max_examples=15)
@given(
    shape=shapes,
    sizes=sizes,
    sort=st.sampled_from(SORTS),
    limit=st.integers(1, 40),
    children=st.integers(0, 10),
    depth=st.integers(1, 6),
    votes=st.lists(st.integers(0, 3), min_size=40, max_size=40),
)
async def test_a_walk_over_large_comments_meets_each_once(
    client: Client,
    services: Services,
    person: Person,
    shape: list[int],
    sizes: list[int],
    sort: str,
    limit: int,
    children: int,
    depth: int,
    votes: list[int],
) -> None:
    article = (await person.post_article())["id"]
    parents = to_parents(shape)
    ids = await grow(services, article, parents)
    await set_sizes(services, dict(zip(ids, sizes, strict=False)))
    await give_votes(services, {one: (n, 1) for one, n in zip(ids, votes, strict=False)})
    met: list[dict[str, Any]] = []
    params = {"sort": sort, "limit": limit, "children": children, "depth": depth}
    async for page in walk(client, article, **params):
        nodes = flatten(page["data"])
        assert bytes_of(nodes) <= MAX_PAGE_BYTES
        # A page that is not full shows all that was asked for: the next node is the one too much.
        assert nodes or not page["page"]["has_more"]
        met += nodes
    assert sorted(node["id"] for node in met) == sorted(ids)
    assert {node["id"]: node["parent_id"] for node in met} == {
        one: None if parent is None else ids[parent]
        for one, parent in zip(ids, parents, strict=True)
    }
    by_id = {node["id"]: node for node in met}
    for node in met:
        assert len(by_id[node["id"]]["html"]) == sizes[ids.index(node["id"])]


async def test_two_hundred_legal_comments_are_not_25_megabytes(
    client: Client, services: Services, person: Person
) -> None:
    article = (await person.post_article())["id"]
    ids = await grow(services, article, [None] * 200)
    await set_sizes(services, dict.fromkeys(ids, LARGEST))
    for sort in SORTS:
        response = await client.get(f"/v1/articles/{article}/comments?sort={sort}&limit=200")
        page = expect(response, 200)
        shown = len(page["data"])
        assert len(response.content) <= MAX_PAGE_BYTES + shown * NODE_BYTES
        assert shown == MAX_PAGE_BYTES // (LARGEST + 11)
        assert page["page"]["remaining"] == 200 - shown
        more = await client.tree(article, cursor=page["page"]["next_cursor"])
        assert more["page"]["remaining"] == 200 - shown - len(more["data"])


async def test_the_roots_are_shown_before_their_replies(
    client: Client, services: Services, person: Person
) -> None:
    article = (await person.post_article())["id"]
    parents = [*[None] * 6, *[n % 6 for n in range(12)]]
    ids = await grow(services, article, parents)
    await set_sizes(services, dict.fromkeys(ids, LARGEST))
    tree = await client.tree(article, sort="old")
    nodes = flatten(tree["data"])
    assert [node["id"] for node in tree["data"]] == ids[:6]
    assert len(nodes) == MAX_PAGE_BYTES // (LARGEST + 11)
    for node in tree["data"]:
        replies = node["replies"]
        assert len(replies["data"]) + replies["remaining"] == 2
        assert (replies["next_cursor"] is None) == (replies["remaining"] == 0)


async def test_a_context_is_bounded_and_keeps_the_nearest_ancestors(
    client: Client, services: Services, person: Person
) -> None:
    article = (await person.post_article())["id"]
    # A line of thirty, and ten replies to the last of it.
    ids = await grow(services, article, [None, *range(29), *[29] * 10])
    await set_sizes(services, dict.fromkeys(ids[:30], 60_000) | dict.fromkeys(ids[30:], 10))
    path = f"/v1/comments/{ids[29]}/context?ancestors=200&sort=old&children=100"
    response = await client.get(path)
    context = expect(response, 200)
    assert len(response.content) <= MAX_PAGE_BYTES + 30 * NODE_BYTES
    shown = [comment["id"] for comment in context["ancestors"]]
    assert shown == ids[29 - len(shown) : 29]
    assert len(shown) == MAX_PAGE_BYTES // 60_011 - 1
    assert context["ancestors"][0]["parent_id"] == ids[28 - len(shown)]
    # What did not fit of the replies goes on from a cursor.
    replies = context["comment"]["replies"]
    assert len(replies["data"]) + replies["remaining"] == 10
    await set_sizes(services, dict.fromkeys(ids[30:], LARGEST))
    path = f"/v1/comments/{ids[29]}/context?ancestors=0&sort=old&children=100"
    replies = expect(await client.get(path), 200)["comment"]["replies"]
    assert len(replies["data"]) == 7
    assert replies["remaining"] == 3
    more = await client.tree(article, cursor=replies["next_cursor"])
    assert [node["id"] for node in more["data"]] == ids[37:]


async def test_mentions_count(client: Client, services: Services, person: Person) -> None:
    article = (await person.post_article())["id"]
    await client.join("max", display_name="\U0001f600" * 60)
    body = "@max " * 50
    ids = [(await person.reply(article, body))["id"] for _ in range(3)]
    async with services.database.read_session() as session:
        [(size, json_size)] = await session.execute(
            text("""
SELECT octet_length(body) + octet_length(html) + 512 * mention_count,
       (SELECT sum(octet_length(jsonb_build_object(
           'user_id', m.user_id, 'handle', u.handle, 'display_name', u.display_name,
           'start', m.start_offset, 'end', m.end_offset, 'text', m.text)::text))
        FROM comment_mentions m JOIN users u ON u.id = m.user_id WHERE m.comment_id = c.id)
FROM comments c WHERE id = :id"""),
            {"id": ids[0]},
        )
    assert json_size <= size
