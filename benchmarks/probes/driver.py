"""Writes comments through the bare driver, with the very statements that the service runs.

First one reply goes through the service in this process, and every statement on the way is noted:
its text, its values, which transaction it was in. Then workers run the same statements with asyncpg
alone, other values in the same places. What the service adds (HTTP, JSON, checks, Markdown,
SQLAlchemy, Redis) is what is missing here.

Input: engines, a writer's token, the reply to note, the places and people of the others, how many
workers for how many seconds. Output: replies a second.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import uvloop
from asgi_lifespan import LifespanManager
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from api.auth.tokens import hash_token
from api.kit.db.ids import make_id
from api.main import create_app, make_services
from benchmarks.engines import connect
from benchmarks.probes.settings import make_settings

# The noted reply gets a version that no other value can be mistaken for.
_VERSION = 900_000_000
_COMMIT = "COMMIT"


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement as it was run, with one set of values or many; COMMIT ends a transaction."""

    text: str
    rows: tuple[tuple[Any, ...], ...]
    is_many: bool
    in_transaction: bool


@dataclass(slots=True)
class Reply:
    """What differs from one reply to the next."""

    article_id: UUID
    parent_id: UUID
    comment_id: UUID
    user_id: UUID
    token_hash: bytes
    version: int

    def names(self) -> dict[str, str]:
        """Return each value, as text, by its name."""
        return {name: str(getattr(self, name)) for name in self.__slots__ if name != "token_hash"}


_Maker = Callable[[Reply, datetime], Any]


async def run(task: dict[str, Any]) -> dict[str, Any]:
    """Note the statements, then run them for the time that is asked for."""
    noted, statements = await _note(task)
    plan = [
        (one, [[_make_maker(value, noted) for value in row] for row in one.rows])
        for one in statements
    ]
    ends = time.perf_counter() + task["seconds"]
    began = time.perf_counter()
    counts = await asyncio.gather(
        *(_work(task, plan, number, ends) for number in range(task["workers"]))
    )
    lasted = time.perf_counter() - began
    return {"rate": sum(counts) / lasted, "statements": [one.text for one in statements]}


async def _note(task: dict[str, Any]) -> tuple[Reply, list[Statement]]:
    """Send one reply through the service; return what is particular to it, and its statements."""
    article_id, parent_id = (UUID(one) for one in task["noted"])
    connection = await connect(task["database_url"])
    await connection.execute(
        "UPDATE articles SET version = greatest(version, $2) WHERE id = $1", article_id, _VERSION
    )
    user_id, token_hash = await _find_bearer(connection, task["writers"][0])
    await connection.close()
    services = make_services(make_settings(task))
    statements: list[Statement] = []
    app = create_app(services)
    async with LifespanManager(app):
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://noted")
        _listen(services.database.reader, statements, in_transaction=False)
        _listen(services.database.writer, statements, in_transaction=True)
        async with client:
            # The first one also pays for new connections.
            for _ in range(2):
                statements.clear()
                response = await client.post(
                    f"/v1/articles/{article_id}/comments",
                    json={"body": task["body"], "parent_id": str(parent_id)},
                    headers={"Authorization": f"Bearer {task['writers'][0]}"},
                )
    if response.status_code != 201:
        raise RuntimeError(f"the reply to note got {response.status_code}")
    written = response.json()
    return (
        Reply(article_id, parent_id, UUID(written["id"]), user_id, token_hash, written["version"]),
        statements,
    )


def _listen(engine: AsyncEngine, noted: list[Statement], *, in_transaction: bool) -> None:
    def note(*arguments: Any) -> None:
        _, _, text, values, _, is_many = arguments
        rows = tuple(map(tuple, values)) if is_many else (tuple(values),)
        noted.append(Statement(text, rows, is_many, in_transaction))

    def note_commit(_: Any) -> None:
        noted.append(Statement(_COMMIT, (), is_many=False, in_transaction=in_transaction))

    event.listen(engine.sync_engine, "before_cursor_execute", note)
    if in_transaction:
        event.listen(engine.sync_engine, "commit", note_commit)


def _make_maker(value: Any, noted: Reply) -> _Maker:
    """Return what makes, for another reply, the value that stands where `value` stood."""
    names = noted.names()
    if isinstance(value, datetime):
        return lambda _, now: now
    if value == noted.token_hash:
        return lambda reply, _: reply.token_hash
    name = next((name for name, known in names.items() if str(value) == known), None)
    if name is not None:
        kind = type(value)
        return lambda reply, _: kind(str(getattr(reply, name)))
    if isinstance(value, str) and any(known in value for known in names.values()):
        return lambda reply, _: _rewrite(value, noted, reply)
    return lambda _, __: value


def _rewrite(text: str, noted: Reply, reply: Reply) -> str:
    other = reply.names()
    for name, known in noted.names().items():
        text = text.replace(known, other[name])
    return text


async def _work(
    task: dict[str, Any], plan: list[tuple[Statement, list[list[_Maker]]]], number: int, ends: float
) -> int:
    """Write replies until the time is over; return how many."""
    random = Random(number)
    reader = await connect(task["database_url"], jit="off", default_transaction_read_only="on")
    writer = await connect(task["database_url"], jit="off")
    writers = [await _find_bearer(reader, token) for token in task["writers"]]
    places = [(UUID(article), UUID(parent)) for article, parent in task["places"]]
    count = 0
    while time.perf_counter() < ends:
        place, person = random.choice(places), random.choice(writers)
        reply = Reply(*place, make_id(), *person, version=0)
        await _write(reader, writer, plan, reply)
        count += 1
    await reader.close()
    await writer.close()
    return count


async def _write(
    reader: asyncpg.Connection,
    writer: asyncpg.Connection,
    plan: list[tuple[Statement, list[list[_Maker]]]],
    reply: Reply,
) -> None:
    now = datetime.now(UTC)
    transaction = None
    for statement, makers in plan:
        if statement.text is _COMMIT:
            if transaction is not None:
                await transaction.commit()
            transaction = None
            continue
        if statement.in_transaction and transaction is None:
            transaction = writer.transaction()
            await transaction.start()
        connection = writer if statement.in_transaction else reader
        rows = [[make(reply, now) for make in row] for row in makers]
        if statement.is_many:
            await connection.executemany(statement.text, rows)
            continue
        found = await connection.fetch(statement.text, *rows[0])
        if statement.text.lstrip().startswith("UPDATE articles"):
            # The row lock is had, and the version that everything after it is written under.
            reply.version = found[0]["version"]


async def _find_bearer(connection: asyncpg.Connection, token: str) -> tuple[UUID, bytes]:
    """Return the user of an access token, and the hash that it is looked up by."""
    token_hash = hash_token(token)
    user_id: UUID = await connection.fetchval(
        "SELECT user_id FROM credentials WHERE token_hash = $1", token_hash
    )
    return user_id, token_hash


if __name__ == "__main__":
    json.dump(uvloop.run(run(json.load(sys.stdin))), sys.stdout)
