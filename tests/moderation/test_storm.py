"""Reports, hides, restores and replies by fifty clients at once: no counter drifts."""

import asyncio
import random

from sqlalchemy import text

from tests.client import Person, expect
from tests.moderation.conftest import Forum
from tests.recount import find_wrong_counters

CLIENTS = 50
PEOPLE = 8
# At most one open item per comment, its reports counted and weighed right.
WRONG_ITEMS = text("""
SELECT i.comment_id FROM review_items i
WHERE i.resolved_at IS NULL AND (
  i.report_count <> (
    SELECT count(*) FROM reports r WHERE r.comment_id = i.comment_id AND r.resolution IS NULL
  )
)
""")


async def test_fifty_clients_report_hide_restore_and_reply(forum: Forum) -> None:
    async with forum.services.database.write_session() as session:
        await session.execute(text("UPDATE screening_settings SET report_threshold = 1"))
    people = [await forum.client.join() for _ in range(PEOPLE)]
    article = (await forum.author.post_article())["id"]
    comments = [(await person.reply(article))["id"] for person in people[:4]]
    done: set[str] = set()

    async def act(seed: int) -> None:
        chance = random.Random(seed)
        person: Person = people[seed % PEOPLE]
        for _ in range(5):
            comment = chance.choice(comments)
            deed = chance.choice(["reply", "reply", "report", "hide", "restore", "remove", "undo"])
            if deed == "reply":
                response = await person.client.post(
                    f"/v1/articles/{article}/comments", {"body": "x", "parent_id": comment}
                )
                if response.status_code == 201:
                    comments.append(response.json()["id"])
            elif deed == "report":
                response = await forum.report(comment, by=person)
            else:
                some = {comment, chance.choice(comments)}
                response = await forum.ask(deed, *some)
                if response.status_code != 503:
                    results = expect(response, 200)["data"]
                    done.update(deed for result in results if result["is_done"])
            # On a slow machine some wait for as long as anybody waits for their turn.
            assert response.status_code in (200, 201, 403, 404, 409, 503), response.text
            if response.status_code == 201:
                done.add(deed)

    await asyncio.gather(*(act(seed) for seed in range(CLIENTS)))
    assert done == {"reply", "report", "hide", "restore", "remove", "undo"}
    async with forum.services.database.read_session() as session:
        assert await find_wrong_counters(session) == []
        assert list(await session.scalars(WRONG_ITEMS)) == []
