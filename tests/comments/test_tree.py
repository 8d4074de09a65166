"""Pages of a tree: their order, their bounds, and how they go on."""

import re

import pytest

from api.comments.schemas import CommentSort
from api.kit.services import Services
from tests.client import Client, expect, expect_problem, flatten
from tests.forest import give_votes, grow


async def ids_of(client: Client, article: str, **params: object) -> list[str]:
    return [node["id"] for node in (await client.tree(article, **params))["data"]]


async def test_each_order_at_the_roots_and_below(client: Client, services: Services) -> None:
    article = await (await client.join()).post_article()
    # Two groups of the same votes: three roots, and three replies to the first.
    ids = await grow(services, article["id"], [None, None, None, 0, 0, 0])
    votes = [(10, 0), (60, 40), (0, 5)]
    await give_votes(services, dict(zip(ids, [*votes, *votes], strict=True)))
    await services.redis.call(lambda redis: redis.flushdb())
    orders = {
        "old": [0, 1, 2],
        "new": [2, 1, 0],
        "best": [0, 1, 2],
        "top": [1, 0, 2],
        "hot": [1, 0, 2],
        "controversial": [1, 0, 2],
    }
    for sort, order in orders.items():
        tree = await client.tree(article["id"], sort=sort)
        assert [ids.index(node["id"]) for node in tree["data"]] == order, sort
        parent = next(node for node in tree["data"] if node["id"] == ids[0])
        below = [ids.index(node["id"]) - 3 for node in parent["replies"]["data"]]
        assert below == order, sort


async def test_ties_of_votes_are_in_order_of_time(client: Client, services: Services) -> None:
    article = await (await client.join()).post_article()
    ids = await grow(services, article["id"], [None] * 7)
    for sort in ("best", "top", "controversial"):
        assert await ids_of(client, article["id"], sort=sort) == ids


async def test_a_page_shows_as_much_as_asked_for(client: Client, services: Services) -> None:
    article = await (await client.join()).post_article()
    # A root with four replies, of which the first begins a line of four more; two other roots.
    ids = await grow(services, article["id"], [None, 0, 0, 0, 0, 1, 5, 6, 7, None, None])
    tree = await client.tree(article["id"], sort="old", limit=2, children=3, depth=3)
    assert [node["id"] for node in flatten(tree["data"])] == [ids[n] for n in (0, 1, 5, 2, 3, 9)]
    root = tree["data"][0]
    assert root["replies"]["remaining"] == 1
    assert root["descendant_count"] == 8
    deepest = root["replies"]["data"][0]["replies"]["data"][0]
    assert (deepest["replies"]["data"], deepest["replies"]["remaining"]) == ([], 1)
    assert tree["page"]["remaining"] == 1
    assert tree["page"]["has_more"]


async def test_load_more_goes_on_anywhere(client: Client, services: Services) -> None:
    article = await (await client.join()).post_article()
    ids = await grow(services, article["id"], [None, 0, 0, 0, 1, 4, None, None])
    tree = await client.tree(article["id"], sort="old", limit=1, children=1, depth=2)
    root = tree["data"][0]
    more = await client.tree(article["id"], cursor=root["replies"]["next_cursor"])
    assert [node["id"] for node in more["data"]] == [ids[2]]
    assert more["page"]["remaining"] == 1
    same = expect(
        await client.get(
            f"/v1/comments/{ids[0]}/replies", params={"cursor": root["replies"]["next_cursor"]}
        ),
        200,
    )
    assert same == more
    cut = root["replies"]["data"][0]["replies"]
    assert (cut["data"], cut["remaining"]) == ([], 1)
    below = await client.tree(article["id"], cursor=cut["next_cursor"])
    assert [node["id"] for node in flatten(below["data"])] == [ids[4], ids[5]]
    last = await client.tree(article["id"], cursor=tree["page"]["next_cursor"])
    assert [node["id"] for node in last["data"]] == [ids[6]]
    end = await client.tree(article["id"], cursor=last["page"]["next_cursor"])
    assert [node["id"] for node in end["data"]] == [ids[7]]
    assert end["page"] == {"next_cursor": None, "has_more": False, "remaining": 0}


async def test_replies_have_the_shape_of_a_tree(client: Client, services: Services) -> None:
    article = await (await client.join()).post_article()
    ids = await grow(services, article["id"], [None, 0, 1, 0])
    page = expect(await client.get(f"/v1/comments/{ids[0]}/replies?sort=new"), 200)
    assert [node["id"] for node in flatten(page["data"])] == [ids[3], ids[1], ids[2]]
    assert page["article_id"] == article["id"]
    assert page["sort"] == "new"


async def test_an_answer_holds_at_most_a_thousand_nodes(client: Client, services: Services) -> None:
    article = await (await client.join()).post_article()
    parents: list[int | None] = [None] * 30
    for root in range(30):
        parents += [root] * 40
    await grow(services, article["id"], parents)
    tree = await client.tree(article["id"], sort="old", children=100)
    nodes = flatten(tree["data"])
    assert len(nodes) == 1000
    # What was cut off is counted, and can be had.
    counted = len(nodes) + sum(node["replies"]["remaining"] for node in nodes)
    assert counted == len(parents)
    cut = tree["data"][-1]["replies"]
    more = await client.tree(article["id"], cursor=cut["next_cursor"])
    assert len(more["data"]) == min(cut["remaining"], 50)


@pytest.mark.parametrize(
    "query",
    [
        *("limit=0", "limit=201", "children=-1", "children=101", "depth=0", "depth=11"),
        *("sort=random", "limit=x", "min_version=-1", "limit=99999999999999999999"),
    ],
)
async def test_parameters_have_bounds(client: Client, query: str) -> None:
    article = await (await client.join()).post_article()
    answer = await client.get(f"/v1/articles/{article['id']}/comments?{query}")
    problem = expect_problem(answer, 422, "validation_failed")
    assert problem["errors"][0]["pointer"] == f"/query/{query.partition('=')[0]}"


async def test_a_cursor_fits_its_article_and_parameters_only(
    client: Client, services: Services
) -> None:
    person = await client.join()
    one, other = await person.post_article("One"), await person.post_article("Other")
    ids = await grow(services, one["id"], [None, None, 0, 1])
    cursor = (await client.tree(one["id"], sort="old", limit=1))["page"]["next_cursor"]
    path = f"/v1/articles/{one['id']}/comments"
    expect(await client.get(path, params={"cursor": cursor, "sort": "old", "limit": 1}), 200)
    for wrong in (
        {"cursor": cursor, "sort": "new"},
        {"cursor": cursor, "limit": 2},
        {"cursor": cursor, "depth": 2},
        {"cursor": cursor[:-1]},
        {"cursor": cursor[:-1] + ("A" if cursor[-1] != "A" else "B")},
        {"cursor": "x"},
        {"cursor": ""},
    ):
        expect_problem(await client.get(path, params=wrong), 400, "invalid_cursor")
    for elsewhere in (f"/v1/articles/{other['id']}/comments", f"/v1/comments/{ids[0]}/replies"):
        answer = await client.get(elsewhere, params={"cursor": cursor})
        expect_problem(answer, 400, "invalid_cursor")


async def test_what_is_not_there_is_not_found(client: Client) -> None:
    nobody = "0198f2c5-6f7a-7c3e-9d2b-3a1f5e8c7b60"
    for path, code in (
        (f"/v1/articles/{nobody}/comments", "article_not_found"),
        ("/v1/articles/no-such-slug/comments", "article_not_found"),
        (f"/v1/comments/{nobody}/replies", "comment_not_found"),
        (f"/v1/comments/{nobody}/context", "comment_not_found"),
        (f"/v1/comments/{nobody}", "comment_not_found"),
        ("/v1/comments/none", "not_found"),
    ):
        expect_problem(await client.get(path), 404, code)


async def test_the_empty_tree(client: Client) -> None:
    article = await (await client.join()).post_article()
    for sort in CommentSort:
        tree = await client.tree(article["slug"], sort=sort)
        assert tree == {
            "article_id": article["id"],
            "version": article["version"],
            "sort": sort,
            "notice": None,
            "pinned_comment_id": None,
            "epoch": tree["epoch"],
            "data": [],
            "page": {"next_cursor": None, "has_more": False, "remaining": 0},
        }
        assert re.fullmatch(r"[0-9a-f]{16}", tree["epoch"])


async def test_a_comment_in_its_line(client: Client, services: Services) -> None:
    article = await (await client.join()).post_article()
    ids = await grow(services, article["id"], [None, 0, 1, 2, 3, 3, 0])
    context = expect(await client.get(f"/v1/comments/{ids[3]}/context?sort=old"), 200)
    assert [comment["id"] for comment in context["ancestors"]] == ids[:3]
    assert context["comment"]["id"] == ids[3]
    assert [node["id"] for node in context["comment"]["replies"]["data"]] == ids[4:6]
    near = expect(await client.get(f"/v1/comments/{ids[3]}/context?ancestors=2"), 200)
    assert [comment["id"] for comment in near["ancestors"]] == ids[1:3]
    alone = expect(await client.get(f"/v1/comments/{ids[3]}/context?ancestors=0&depth=1"), 200)
    assert alone["ancestors"] == []
    assert alone["comment"]["replies"]["remaining"] == 2
    more = await client.tree(article["id"], cursor=alone["comment"]["replies"]["next_cursor"])
    assert len(more["data"]) == 2


async def test_the_flat_list_is_in_order_of_time(client: Client, services: Services) -> None:
    article = await (await client.join()).post_article()
    ids = await grow(services, article["id"], [None, 0, 1, None, 3])
    for order, expected in (("oldest", ids), ("newest", ids[::-1])):
        met: list[str] = []
        path = f"/v1/articles/{article['slug']}/comments/flat?order={order}&limit=2"
        while path:
            answer = await client.get(path)
            met += [comment["id"] for comment in expect(answer, 200)["data"]]
            path = answer.links["next"]["url"] if "next" in answer.links else ""
        assert met == expected


async def test_a_context_names_its_article(client: Client) -> None:
    person = await client.join()
    article = await person.post_article()
    comment = await person.reply(article["id"])
    context = expect(await client.get(f"/v1/comments/{comment['id']}/context"), 200)
    assert context["article"] == {name: article[name] for name in ("id", "slug", "title")}


async def test_a_node_can_be_edited_and_deleted_by_its_etag(client: Client) -> None:
    person = await client.join()
    article = (await person.post_article())["id"]
    comment = (await person.reply(article))["id"]
    other = (await person.reply(article))["id"]

    async def find_etag(comment_id: str) -> str:
        nodes = (await client.tree(article))["data"]
        return next(str(node["etag"]) for node in nodes if node["id"] == comment_id)

    path = f"/v1/comments/{comment}"
    etag = await find_etag(comment)
    edited = await person.client.patch(path, {"body": "New."}, headers={"If-Match": etag})
    expect(edited, 200)
    # Of another comment, of before the edit, of another database: none of them fits.
    kind = etag.split("-")[1]
    for wrong in (
        await find_etag(other),
        etag,
        etag.replace("1-", "2-", 1).replace(kind, "0" * 16),
    ):
        refused = await person.client.delete(path, headers={"If-Match": wrong})
        expect_problem(refused, 412, "precondition_failed")
    # A vote or a reply changes no tag.
    again = await find_etag(comment)
    assert again != etag
    await person.reply(article, parent=comment)
    assert await find_etag(comment) == again
    expect(await person.client.delete(path, headers={"If-Match": again}), 204)
