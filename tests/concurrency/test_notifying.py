"""Many transactions that notify the same people: no deadlock, no gap, nothing twice."""

import asyncio
import random

from sqlalchemy import text

from api.kit.services import Services
from tests.client import Client, expect
from tests.notifications.inboxes import list_inbox, mark_read
from tests.warm import warm_pools

ROUNDS = 4


async def test_threads_that_notify_the_same_people(client: Client, services: Services) -> None:
    people = [await client.join() for _ in range(6)]
    articles = [(await person.post_article())["id"] for person in people]
    for article in articles:
        for person in people:
            await person.reply(article)
    before = [len(await list_inbox(person, limit=100)) for person in people]
    await warm_pools(services)

    async def write(index: int, turn: int) -> None:
        # Each thread's lock is its own; the inboxes are everybody's.
        chance = random.Random(10 * turn + index)
        names = chance.sample([person.handle for person in people], 3)
        person = people[(index + turn) % len(people)]
        comment = await person.reply(articles[index], " ".join(f"@{name}" for name in names))
        others = " ".join(f"@{one.handle}" for one in people)
        expect(await person.edit_anyway(comment["id"], f"Now {others}."), 200)

    async def read(index: int) -> None:
        await mark_read(people[index], up_to=10)
        await mark_read(people[index], article_id=articles[index])

    for turn in range(ROUNDS):
        writes = [write(index, turn) for index in range(len(articles))]
        await asyncio.gather(*writes, *(read(index) for index in range(len(people))))
    async with services.database.read_session() as session:
        twice = await session.execute(
            text("SELECT user_id, object_id FROM notifications GROUP BY 1, 2 HAVING count(*) > 1")
        )
        assert twice.all() == []
        # As many events as notifications that were made or came back.
        told = await session.scalar(
            text(
                "SELECT sum(jsonb_array_length(payload->'user_ids')) FROM events "
                "WHERE type = 'notifications_added'"
            )
        )
        assert told == await session.scalar(text("SELECT sum(last_number) FROM inboxes"))
    for person, known in zip(people, before, strict=True):
        numbers = [one["number"] for one in await list_inbox(person, limit=100)]
        assert numbers == sorted(set(numbers), reverse=True)
        # Each comment of the others, once.
        assert len(numbers) == known + ROUNDS * (len(people) - 1)
