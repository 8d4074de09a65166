"""One thread under many hands: no counter drifts, no version is missing, no tree is stale."""

import asyncio
import random

import httpx
from sqlalchemy import text

from api.kit.services import Services
from api.votes.service import publish_scores
from tests.client import Client, Person, expect
from tests.recount import find_wrong_counters
from tests.warm import warm_pools

CLIENTS = 50
PEOPLE = 10
# On open connections a race is lost within one or two rounds when a lock is missing.
ROUNDS = 6

# The votes of each comment, counted again.
RECOUNT = text("""
SELECT c.id,
  c.up = (SELECT count(*) FROM comment_votes v WHERE v.comment_id = c.id AND v.value = 1)
  AND c.down = (SELECT count(*) FROM comment_votes v WHERE v.comment_id = c.id AND v.value = -1)
  AS is_right
FROM comments c
""")
# No version is missing, and none was given twice.
VERSIONS = text("""
SELECT a.version = (SELECT count(*) FROM events e WHERE e.version > 0)
  AND a.version = (SELECT max(version) FROM events e)
FROM articles a
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
                # On a slow machine some wait for as long as anybody waits for their turn.
                assert answer.status_code in (200, 201, 204, 403, 404, 409, 503), answer.text
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
        assert await find_wrong_counters(session) == []
        assert await session.scalar(VERSIONS)
        assert await session.scalar(text("SELECT count(*) FROM score_changes")) == 0


async def fold_often(services: Services) -> None:
    while True:
        await publish_scores(services)
        await asyncio.sleep(0.05)


async def test_of_ten_edits_with_one_tag_one_succeeds(client: Client, services: Services) -> None:
    person = await client.join()
    article = await person.post_article()
    comment = await person.reply(article["id"])
    path = f"/v1/comments/{comment['id']}"
    await warm_pools(services)

    async def edit(n: int, seen: str) -> httpx.Response:
        return await person.client.patch(path, {"body": f"edit {n}"}, headers={"If-Match": seen})

    for turn in range(ROUNDS):
        seen = (await client.get(path)).headers["etag"]
        answers = await asyncio.gather(*(edit(10 * turn + n, seen) for n in range(10)))
        assert sorted(answer.status_code for answer in answers) == [200] + [412] * 9
        won = next(answer.json()["body"] for answer in answers if answer.status_code == 200)
        assert expect(await client.get(path), 200)["body"] == won


async def test_a_reply_and_the_end_of_its_parent(client: Client, services: Services) -> None:
    """Whoever comes first wins: the reply stands under a tombstone, or there is none."""
    one, two = await client.join(), await client.join()
    article = await one.post_article()
    await warm_pools(services)
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
    await warm_pools(services)

    async def vote(value: int) -> httpx.Response:
        return await voter.client.put(f"/v1/comments/{comment['id']}/vote", {"value": value})

    for turn in range(ROUNDS):
        value = (1, -1)[turn % 2]
        answers = await asyncio.gather(*(vote(value) for _ in range(20)))
        assert {answer.status_code for answer in answers} == {200}
        read = expect(await client.get(f"/v1/comments/{comment['id']}"), 200)
        assert (read["up"], read["down"]) == (int(value == 1), int(value == -1))
