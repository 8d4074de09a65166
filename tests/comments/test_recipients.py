"""Who is notified by the mentions of a text."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from api.comments.mentions.parsing import Mention, Person
from api.comments.mentions.recipients import MAX_RECIPIENTS, choose_recipients
from api.kit.services import Services
from tests.client import Client, expect


def make_mention(number: int) -> Mention:
    name = f"person-{number}"
    person = Person(UUID(int=number), name, name, None, frozenset({name}), in_thread=True)
    return Mention(0, len(name) + 1, f"@{name}", person)


@given(st.lists(st.integers(0, 14), max_size=50))
def test_the_first_ten_others_are_notified_once(numbers: list[int]) -> None:
    author = 0
    chosen = choose_recipients(UUID(int=author), map(make_mention, numbers))
    others = [number for number in dict.fromkeys(numbers) if number != author]
    assert [m.person.user_id.int for m, _ in chosen] == numbers
    notified = [m.person.user_id.int for m, reason in chosen if reason is None]
    assert notified == others[:MAX_RECIPIENTS]
    for position, (mention, reason) in enumerate(chosen):
        number = mention.person.user_id.int
        expected = None
        if number == author:
            expected = "yourself"
        elif number in others[MAX_RECIPIENTS:]:
            expected = "too_many"
        elif number in numbers[:position]:
            expected = "already_mentioned"
        assert reason == expected


async def list_mentioned(services: Services) -> list[list[str]]:
    """Return who is notified by each comment's event, in order of the events."""
    statement = text(
        "SELECT payload -> 'mentioned_ids' FROM events"
        " WHERE payload ? 'mentioned_ids' ORDER BY version"
    )
    async with services.database.read_session() as session:
        return list(await session.scalars(statement))


async def test_events_name_whoever_is_notified(client: Client, services: Services) -> None:
    author = await client.join("max")
    people = [await client.join() for _ in range(MAX_RECIPIENTS + 2)]
    ids = [person.id for person in people]
    article = await author.post_article()
    everybody = " ".join(f"@{person.handle}" for person in people)
    comment = await author.reply(article["id"], f"@max and @{people[0].handle} @max")
    expect(await author.edit(comment["id"], f"@max, {everybody}"), 200)
    expect(await author.edit(comment["id"], everybody), 200)
    assert await list_mentioned(services) == [[ids[0]], ids[1:MAX_RECIPIENTS], []]
