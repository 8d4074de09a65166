"""Palaver's own process killed and asked to leave, and clients that hang up."""

import asyncio
import json
import os
import signal
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from tests.client import Client, Person, expect, expect_problem
from tests.connections import connected_to
from tests.faults.looking import (
    connected,
    count_comments,
    read_comments,
    wait_until_relayed,
)
from tests.faults.servers import Engine, Palaver, find_port, running
from tests.waiting import PATIENCE, wait_until


@asynccontextmanager
async def holding_up(
    postgres: Engine, article: dict[str, Any]
) -> AsyncIterator[asyncpg.Connection]:
    """Keep everybody from writing to an article, as a slow writer does."""
    async with connected_to(postgres.url) as connection, connection.transaction():
        await connection.execute("SELECT FROM articles WHERE id = $1 FOR UPDATE", article["id"])
        yield connection


async def wait_until_held_up(connection: asyncpg.Connection, number: int) -> None:
    """Wait until so many others are waiting for a lock."""

    async def are_waiting() -> bool:
        statement = "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted"
        return bool(await connection.fetchval(statement) == number)

    await wait_until(are_waiting, pause=0.02)


async def test_what_was_acknowledged_survives_sigkill_and_nothing_is_there_twice(
    folder: Path, postgres: Engine, valkey: Engine, emptied: None
) -> None:
    port = find_port()
    written: dict[str, str] = {}
    unanswered: list[str] = []
    has_written = asyncio.Event()

    async def write(person: Person, path: str) -> None:
        while True:
            key = str(uuid.uuid4())
            try:
                response = await send(person, path, key)
            except httpx.TransportError:
                unanswered.append(key)
                return
            written[key] = expect(response, 201)["id"]
            if len(written) == 20:
                has_written.set()

    async def send(person: Person, path: str, key: str) -> httpx.Response:
        return await person.client.post(path, {"body": key}, headers={"Idempotency-Key": key})

    with running("serve", folder, postgres, valkey, port=port) as palaver:
        async with connected(palaver) as client:
            person = await client.join()
            article = await person.post_article()
            path = f"/v1/articles/{article['id']}/comments"
            writing = [asyncio.create_task(write(person, path)) for _ in range(4)]
            await has_written.wait()
            palaver.process.kill()
            await asyncio.gather(*writing)
    assert unanswered
    with running("serve", folder, postgres, valkey, port=port) as palaver:
        async with connected(palaver) as client:
            person.client.http = client.http
            acknowledged = set(written.items())
            for key in unanswered:
                written[key] = expect(await send(person, path, key), 201)["id"]
            found = await read_comments(client, article["id"])
            assert acknowledged <= set(found)
            assert sorted(found) == sorted(written.items())
            now = expect(await client.get(f"/v1/articles/{article['id']}"), 200)
            assert now["comment_count"] == len(found)
            assert (await client.tree(article["id"]))["version"] == now["version"]


async def test_sigterm_breaks_no_request_that_is_under_way(
    folder: Path, postgres: Engine, valkey: Engine, emptied: None
) -> None:
    with running("serve", folder, postgres, valkey, database_pool_size="15") as palaver:
        async with connected(palaver) as client:
            person = await client.join()
            article = await person.post_article()
            path = f"/v1/articles/{article['id']}/comments"
            async with holding_up(postgres, article) as holder:
                writing = [
                    asyncio.create_task(person.client.post(path, {"body": f"Number {number}"}))
                    for number in range(4)
                ]
                # On one connection: a request that is held up, and behind it a probe.
                reader, writer = await asyncio.open_connection("127.0.0.1", palaver.port)
                writer.write(
                    compose("POST", path, person.client.headers, {"body": "Number 4"})
                    + compose("GET", "/readyz", {})
                )
                await wait_until_held_up(holder, 5)
                palaver.terminate()
                await asyncio.sleep(0.4)
                assert palaver.process.poll() is None
                assert await is_refused(palaver)
            answers = await asyncio.gather(*writing)
            assert [answer.status_code for answer in answers] == [201] * 4
            assert await read_answer(reader) == (201, "Number 4")
            assert await read_answer(reader) == (503, "not_ready")
            writer.close()
        assert palaver.process.wait(PATIENCE) in (0, -signal.SIGTERM)
    assert await count_comments(postgres, article["id"]) == (5, 5, 5)


async def is_refused(palaver: Palaver) -> bool:
    """Tell whether nobody listens any more."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", palaver.port)
    except ConnectionRefusedError:
        return True
    writer.close()
    return False


def compose(
    method: str, path: str, headers: dict[str, str], body: dict[str, Any] | None = None
) -> bytes:
    content = b"" if body is None else json.dumps(body, separators=(",", ":")).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: test", f"Content-Length: {len(content)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if content:
        lines.append("Content-Type: application/json")
    return "\r\n".join([*lines, "", ""]).encode() + content


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, str]:
    """Return the status and the text or code of the next answer."""
    head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)).decode().lower()
    length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
    content = json.loads(await reader.readexactly(length))
    return int(head.split()[1]), content.get("code") or content["body"]


async def test_a_client_that_hangs_up_leaves_a_whole_write_or_none(
    forum: Client, server: Palaver, postgres: Engine
) -> None:
    person = await forum.join()
    article = await person.post_article()
    path = f"/v1/articles/{article['id']}/comments"
    key = {"Idempotency-Key": "once"}
    whole = compose("POST", path, {**person.client.headers, **key}, {"body": "Hello?"})

    # In the middle of its body, of its headers, of the first line.
    for part in (whole[:-5], whole[: len(whole) // 2], whole[:10]):
        await hang_up_after(server, part)
    # While its transaction waits.
    async with holding_up(postgres, article) as holder:
        await hang_up_after(server, whole)
        await wait_until_held_up(holder, 1)
    response = await insist(person, path, key)
    assert expect(response, 201)["body"] == "Hello?"
    assert await count_comments(postgres, article["id"]) == (1, 1, 1)
    expect(await forum.get("/readyz"), 200)


async def hang_up_after(server: Palaver, part: bytes) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(part)
    await writer.drain()
    await asyncio.sleep(0.05)
    writer.transport.abort()


async def insist(person: Person, path: str, headers: dict[str, str]) -> httpx.Response:
    """Send the request until the one that was abandoned has ended."""
    body = {"body": "Hello?"}
    async with asyncio.timeout(PATIENCE):
        while (
            response := await person.client.post(path, body, headers=headers)
        ).status_code == 409:
            expect_problem(response, 409, "idempotency_in_progress")
            await asyncio.sleep(0.05)
    return response


async def test_the_worker_takes_up_what_was_left_when_it_was_killed(
    forum: Client, folder: Path, postgres: Engine, valkey: Engine
) -> None:
    person = await forum.join()
    article = await person.post_article()
    with running("worker", folder, postgres, valkey) as worker:
        await person.reply(article["id"])
        await wait_until_relayed(postgres)
        os.kill(worker.process.pid, signal.SIGKILL)
        worker.process.wait()
        await person.reply(article["id"])
    with running("worker", folder, postgres, valkey) as worker:
        await wait_until_relayed(postgres)
        assert worker.leave() == 0
