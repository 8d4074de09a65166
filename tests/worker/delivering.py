"""What tests of deliveries share: consumers, comments whose events wait, and counting."""

from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import text

from api.comments.events import CommentCreated
from api.kit.effects import BatchConsumer, Consumer, Effect, EffectTable, TargetedConsumer
from api.kit.services import Services
from tests.client import Client
from tests.effects import replace_effect
from tests.working import work_off

React = Callable[[Services, CommentCreated], Awaitable[None]]


def make_consumer(react: React, name: str = "tested", **options: Any) -> Consumer[CommentCreated]:
    return Consumer(name=name, event=CommentCreated, deliver=react, **options)


def make_effects(
    *consumers: Consumer[CommentCreated]
    | BatchConsumer[CommentCreated]
    | TargetedConsumer[CommentCreated],
) -> EffectTable:
    """Return effects in which only these follow from a new comment."""
    return replace_effect(Effect(event=CommentCreated, by_worker=consumers))


async def count(services: Services, condition: str = "true", table: str = "deliveries") -> int:
    async with services.database.read_session() as session:
        counted = text(f"SELECT count(*) FROM {table} WHERE {condition}")
        return int(await session.scalar(counted) or 0)


async def write_comments(client: Client, services: Services, number: int) -> list[str]:
    """Write comments whose events are the only ones that wait; return their ids."""
    person = await client.join()
    article = await person.post_article()
    await work_off(services)
    return [(await person.reply(article["id"]))["id"] for _ in range(number)]


async def ignore(_: Services, __: CommentCreated) -> None:
    pass


class Record:
    """Which comments' events were delivered."""

    def __init__(self) -> None:
        self.done: list[str] = []

    async def __call__(self, _: Services, event: CommentCreated) -> None:
        self.done.append(str(event.comment_id))
