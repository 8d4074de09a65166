"""One thread under many hands: no counter drifts, no version is missing, no tree is stale."""

import asyncio
import random
from typing import Any

import httpx
from sqlalchemy import text

from api.kit.services import Services
from api.votes.service import publish_scores
from tests.client import Client, Person, expect

CLIENTS = 50
PEOPLE = 10

# What each counter of a comment must be, counted anew.
RECOUNT = text("""
SELECT c.id,
  c.up = (SELECT count(*) FROM comment_votes v WHERE v.comment_id = c.id AND v.value = 1)
  AND c.down = (SELECT count(*) FROM comment_votes v WHERE v.comment_id = c.id AND v.value = -1)
  AND c.reply_count = (SELECT count(*) FROM comments r WHERE r.parent_id = c.id AND r.listed)
  AND c.descendant_count = (SELECT count(*) FROM comments r
                            WHERE r.ancestor_ids @> ARRAY[c.id] AND r.listed) AS is_right
FROM comments c
""")
RECOUNT_ARTICLE = text("""
SELECT a.comment_count = (SELECT count(*) FROM comments c WHERE c.state = 'visible')
  AND a.reply_count = (SELECT count(*) FROM comments c WHERE c.parent_id IS NULL AND c.listed)
  AND a.version + 1 = (SELECT count(*) FROM events e WHERE e.version IS NOT NULL)
  AND a.version = (SELECT max(version) FROM events e)
FROM articles a
""")
# A tombstone is shown only while something listed stands under it.
BARE_TOMBSTONES = text("""
SELECT count(*) FROM comments c WHERE c.listed AND c.state <> 'visible'
AND NOT EXISTS (SELECT 1 FROM comments r WHERE r.parent_id = c.id AND r.listed)
""")


async def test_fifty_clients_on_one_article(client: Client, services: Services) -> None:
    people = [await client.join() for _ in range(PEOPLE)]
    article = (await people[0].post_article())["id"]
    comments = [await person.reply(article) for person in people[:4]]
    known: list[tuple[Person, str]] = [
        (person, comment["id"]) for person, comment in zip(people, comments, strict=False)
    ]
    newest = 0

    async def act(seed: int) -> None:
        nonlocal newest
        chance = random.Random(seed)
        person = people[seed % PEOPLE]
        for _ in range(6):
            owner, comment = chance.choice(known)
            deed = chance.choice(["reply", "reply", "vote", "vote", "edit", "delete", "read"])
            answer: httpx.Response | None = None
            if deed == "reply":
                answer = await person.client.post(
                    f"/v1/articles/{article}/comments", {"body": "x", "parent_id": comment}
                )
                if answer.status_code == 201:
                    known.append((person, answer.json()["id"]))
            elif deed == "vote":
                answer = await person.client.put(
                    f"/v1/comments/{comment}/vote", {"value": chance.choice([-1, 0, 1])}
                )
            elif deed == "edit":
                answer = await owner.edit_anyway(comment, f"edit {seed} {chance.random()}")
            elif deed == "delete" and chance.random() < 0.5:
                answer = await owner.take_back_anyway(comment)
            floor = newest
            tree = expect(await client.get(f"/v1/articles/{article}/comments"), 200)
            assert tree["version"] >= floor, "a tree is older than an acknowledged write"
            newest = max(newest, tree["version"])
            if answer is not None:
                assert answer.status_code in (200, 201, 204, 403, 404, 409), answer.text
                if deed in ("reply", "edit") and answer.status_code in (200, 201):
                    newest = max(newest, answer.json()["version"])

    folding = asyncio.create_task(fold_often(services))
    await asyncio.gather(*(act(seed) for seed in range(CLIENTS)))
    folding.cancel()
    await asyncio.gather(folding, return_exceptions=True)
    await publish_scores(services)

    async with services.database.read_session() as session:
        wrong = [row.id for row in await session.execute(RECOUNT) if not row.is_right]
        assert wrong == []
        assert await session.scalar(RECOUNT_ARTICLE)
        assert await session.scalar(BARE_TOMBSTONES) == 0
        assert await session.scalar(text("SELECT count(*) FROM score_changes")) == 0


async def fold_often(services: Services) -> None:
    while True:
        await publish_scores(services)
        await asyncio.sleep(0.05)


async def test_two_edits_of_what_both_saw(client: Client) -> None:
    person = await client.join()
    article = await person.post_article()
    comment = await person.reply(article["id"])
    path = f"/v1/comments/{comment['id']}"
    seen = (await client.get(path)).headers["etag"]

    async def edit(n: int) -> httpx.Response:
        return await person.client.patch(path, {"body": f"edit {n}"}, headers={"If-Match": seen})

    answers = await asyncio.gather(*(edit(n) for n in range(10)))
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [200] + [412] * 9
    won = next(answer.json()["body"] for answer in answers if answer.status_code == 200)
    assert expect(await client.get(path), 200)["body"] == won


async def test_a_reply_and_the_end_of_its_parent(client: Client, services: Services) -> None:
    """Whoever comes first wins: the reply stands under a tombstone, or there is none."""
    one, two = await client.join(), await client.join()
    article = await one.post_article()
    for _ in range(8):
        parent = await one.reply(article["id"])
        replied, ended = await asyncio.gather(
            two.client.post(
                f"/v1/articles/{article['id']}/comments", {"body": "x", "parent_id": parent["id"]}
            ),
            one.take_back_anyway(parent["id"]),
        )
        assert ended.status_code == 204
        read = await client.get(f"/v1/comments/{parent['id']}")
        if replied.status_code == 201:
            assert expect(read, 200)["state"] == "deleted"
        else:
            assert replied.json()["code"] in ("parent_gone", "parent_not_found")
            assert read.status_code == 404


async def test_one_person_votes_twenty_times_at_once(client: Client, services: Services) -> None:
    author, voter = await client.join(), await client.join()
    article = await author.post_article()
    comment = await author.reply(article["id"])

    async def vote(value: int) -> Any:
        return await voter.client.put(f"/v1/comments/{comment['id']}/vote", {"value": value})

    answers = await asyncio.gather(*(vote(1) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert expect(await client.get(f"/v1/comments/{comment['id']}"), 200)["up"] == 1
