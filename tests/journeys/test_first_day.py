"""What a frontend developer does on the first day, from registering to deleting."""

from datetime import timedelta

import pytest

from api.kit.services import Services
from tests.client import Client, expect, flatten
from tests.forest import give_votes, grow


@pytest.fixture
def client(client: Client) -> Client:
    """A client with which people sign up and log in over HTTP, as they do on the first day."""
    return Client(client.http)


async def test_two_people_discuss_an_article(client: Client) -> None:
    max_, lee = await client.join("max"), await client.join("lee", display_name="Lee Stevenson")
    article = await max_.post_article("Europe and China", tags=["space"])
    first = await lee.reply(article["slug"], "Hello @max, and @nobody-here.")
    assert [m["handle"] for m in first["mentions"]] == ["max"]
    assert [m["reason"] for m in first["unresolved_mentions"]] == ["unknown"]
    second = await max_.reply(article["id"], "@Lee Stevenson…. indeed", first["id"])
    assert [(m["text"], m["handle"]) for m in second["mentions"]] == [("@Lee Stevenson", "lee")]
    third = await lee.reply(article["id"], "Third level", second["id"])
    assert third["depth"] == 2

    tree = await client.tree(article["slug"])
    assert [node["id"] for node in flatten(tree["data"])] == [
        first["id"],
        second["id"],
        third["id"],
    ]
    assert tree["page"] == {"next_cursor": None, "has_more": False, "remaining": 0}

    edited = expect(await lee.edit(third["id"], "Third level, *edited*"), 200)
    assert edited["html"] == "<p>Third level, <em>edited</em></p>\n"
    assert edited["edited_at"] is not None
    expect(await max_.take_back(second["id"]), 204)
    tree = await client.tree(article["slug"])
    tombstone = tree["data"][0]["replies"]["data"][0]
    assert (tombstone["state"], tombstone["author"], tombstone["body"]) == ("deleted", None, None)
    expect(await lee.take_back(third["id"]), 204)
    tree = await client.tree(article["slug"])
    assert [node["id"] for node in flatten(tree["data"])] == [first["id"]]
    assert tree["data"][0]["reply_count"] == 0


async def test_the_six_orders_differ(client: Client, services: Services) -> None:
    """Roots, and the replies of one comment, stand in the order that each sort is named for."""
    article = (await (await client.join()).post_article())["id"]
    parents = [None] * 5 + [4] * 5
    ids = await grow(services, article, parents, every=timedelta(hours=6))
    votes = [(1, 0), (40, 10), (5, 0), (22, 20), (0, 3)]
    await give_votes(services, dict(zip(ids, votes * 2, strict=True)))
    orders = {
        "old": [0, 1, 2, 3, 4],
        "new": [4, 3, 2, 1, 0],
        "top": [1, 2, 3, 0, 4],
        "best": [2, 1, 3, 0, 4],
        "controversial": [3, 1, 0, 2, 4],
        # Six hours weigh as much as 3 times the votes: log10(score) + age / 12.5 hours.
        "hot": [1, 3, 2, 4, 0],
    }
    for sort, order in orders.items():
        tree = await client.tree(article, sort=sort)
        assert [node["id"] for node in tree["data"]] == [ids[n] for n in order], sort
        [parent] = [node for node in tree["data"] if node["id"] == ids[4]]
        replies = [node["id"] for node in parent["replies"]["data"]]
        assert replies == [ids[5 + n] for n in order], sort
