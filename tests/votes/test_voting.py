"""Votes: one a person and target, never one's own, and the sums always right."""

import pytest

from api.articles.queries import lock_article, refers_to
from api.kit.services import Services
from api.votes.service import publish_scores
from tests.client import Client, expect, expect_problem

NOBODY = "0198f2c5-6f7a-7c3e-9d2b-3a1f5e8c7b60"


async def test_a_vote_replaces_the_one_before(client: Client) -> None:
    author, one, two = [await client.join() for _ in range(3)]
    article = await author.post_article()
    comment = await author.reply(article["id"])
    for path in (f"/v1/comments/{comment['id']}/vote", f"/v1/articles/{article['slug']}/vote"):
        steps = [
            (one, 1, (1, 0)),
            (one, 1, (1, 0)),
            (two, -1, (1, 1)),
            (one, -1, (0, 2)),
            (one, 0, (0, 1)),
            (one, 0, (0, 1)),
            (two, 1, (1, 0)),
        ]
        for person, value, (up, down) in steps:
            answer = await person.client.put(path, {"value": value})
            assert expect(answer, 200) == {
                "up": up,
                "down": down,
                "score": up - down,
                "value": value,
            }


async def test_who_may_vote_on_what(client: Client) -> None:
    author, other = await client.join(), await client.join()
    article = await author.post_article()
    comment = await author.reply(article["id"])
    await other.reply(article["id"], parent=comment["id"])
    leaf = await author.reply(article["id"])
    path = f"/v1/comments/{comment['id']}/vote"
    expect_problem(await client.put(path, {"value": 1}), 401, "not_authenticated")
    expect_problem(await author.client.put(path, {"value": 1}), 403, "own_vote")
    own = await author.client.put(f"/v1/articles/{article['id']}/vote", {"value": 1})
    expect_problem(own, 403, "own_vote")
    for value in (2, -2, "1", 1.0, True, None):
        answer = await other.client.put(path, {"value": value})
        expect_problem(answer, 422, "validation_failed")
    await author.take_back(comment["id"])
    await author.take_back(leaf["id"])
    expect_problem(await other.client.put(path, {"value": 1}), 409, "comment_gone")
    for gone in (leaf["id"], NOBODY):
        answer = await other.client.put(f"/v1/comments/{gone}/vote", {"value": 1})
        expect_problem(answer, 404, "comment_not_found")
    answer = await other.client.put("/v1/articles/none/vote", {"value": 1})
    expect_problem(answer, 404, "article_not_found")


async def test_readers_see_the_votes_of_a_second_at_once(
    client: Client, services: Services
) -> None:
    author, *voters = [await client.join() for _ in range(4)]
    article = await author.post_article()
    first, second = [await author.reply(article["id"]) for _ in range(2)]
    before = await client.tree(article["id"], sort="best")
    for voter in voters:
        await voter.client.put(f"/v1/comments/{second['id']}/vote", {"value": 1})
    await voters[0].client.put(f"/v1/comments/{first['id']}/vote", {"value": -1})
    await voters[0].client.put(f"/v1/articles/{article['id']}/vote", {"value": 1})
    assert await client.tree(article["id"], sort="best") == before
    await publish_scores(services)
    after = await client.tree(article["id"], sort="best")
    assert after["version"] == before["version"] + 1
    assert [(node["id"], node["score"]) for node in after["data"]] == [
        (second["id"], 3),
        (first["id"], -1),
    ]
    assert {node["version"] for node in after["data"]} == {after["version"]}
    read = expect(await client.get(f"/v1/articles/{article['id']}"), 200)
    assert (read["score"], read["version"]) == (1, after["version"])
    # Nothing is left to show.
    await publish_scores(services)
    assert (await client.tree(article["id"], sort="best"))["version"] == after["version"]


async def test_a_vote_that_changes_nothing_makes_no_version(
    client: Client, services: Services
) -> None:
    author, voter = await client.join(), await client.join()
    article = await author.post_article()
    comment = await author.reply(article["id"])
    await voter.client.put(f"/v1/comments/{comment['id']}/vote", {"value": 0})
    await publish_scores(services)
    assert (await client.tree(article["id"]))["version"] == comment["version"]


async def test_the_viewer_sees_their_own_votes(client: Client) -> None:
    author, viewer, other = [await client.join() for _ in range(3)]
    article = await author.post_article()
    one, two, three = [await author.reply(article["id"]) for _ in range(3)]
    for comment, value in ((one, 1), (two, -1), (three, 1), (three, 0)):
        await viewer.client.put(f"/v1/comments/{comment['id']}/vote", {"value": value})
    await other.client.put(f"/v1/comments/{three['id']}/vote", {"value": -1})
    await viewer.client.put(f"/v1/articles/{article['id']}/vote", {"value": -1})
    path = f"/v1/articles/{article['slug']}/viewer"
    expect_problem(await client.get(path), 401, "not_authenticated")
    assert expect(await viewer.client.get(path), 200) == {
        "article_id": article["id"],
        "article_vote": -1,
        "comment_votes": [
            {"comment_id": two["id"], "value": -1},
            {"comment_id": one["id"], "value": 1},
        ],
        "pending_comments": [],
        "read_version": None,
        "new_comment_count": None,
        "may_reply": True,
        "may_reply_at": None,
        "may_edit_article": False,
        "may_moderate": False,
    }
    assert expect(await author.client.get(path), 200)["may_edit_article"]


@pytest.mark.parametrize("sort", ["top", "hot"])
async def test_articles_are_ordered_by_votes(client: Client, sort: str) -> None:
    author, *voters = [await client.join() for _ in range(3)]
    slugs = [(await author.post_article(title))["slug"] for title in ("A", "B", "C")]
    for voter in voters:
        await voter.client.put(f"/v1/articles/{slugs[1]}/vote", {"value": 1})
        await voter.client.put(f"/v1/articles/{slugs[2]}/vote", {"value": -1})
    listed = expect(await client.get(f"/v1/articles?sort={sort}"), 200)["data"]
    assert [one["slug"] for one in listed] == [slugs[1], slugs[0], slugs[2]]


async def test_a_vote_does_not_wait_for_the_lock_of_the_thread(
    client: Client, services: Services
) -> None:
    """Else a voter, who holds the comment, and the worker, who holds the thread, could deadlock."""
    author, voter = await client.join(), await client.join()
    article = await author.post_article()
    comment = await author.reply(article["id"])
    async with services.database.write_session() as session:
        assert await lock_article(session, refers_to(article["id"]))
        answer = await voter.client.put(f"/v1/comments/{comment['id']}/vote", {"value": 1})
        assert expect(answer, 200)["up"] == 1


async def test_a_viewers_votes_on_some_comments(client: Client) -> None:
    author, reader = await client.join(), await client.join()
    article, elsewhere = [(await author.post_article(title))["id"] for title in ("One", "Two")]
    ids = [(await author.reply(article))["id"] for _ in range(4)]
    away = (await author.reply(elsewhere))["id"]
    for comment_id in (*ids[:3], away):
        voted = await reader.client.put(f"/v1/comments/{comment_id}/vote", {"value": 1})
        expect(voted, 200)
    path = f"/v1/articles/{article}/viewer"
    for asked, expected in (
        ([ids[0], ids[2], ids[3], away], {ids[0], ids[2]}),
        ([ids[3]], set()),
    ):
        answer = await reader.client.get(path, params={"comment_ids": asked})
        votes = expect(answer, 200)["comment_votes"]
        assert {vote["comment_id"] for vote in votes} == expected
    assert len(expect(await reader.client.get(path), 200)["comment_votes"]) == 3
    most = await reader.client.get(path, params={"comment_ids": ids[:1] * 100})
    assert len(expect(most, 200)["comment_votes"]) == 1
    for refused in (ids[:1] * 101, ["x"]):
        answer = await reader.client.get(path, params={"comment_ids": refused})
        expect_problem(answer, 422, "validation_failed")
