"""Streams cut anywhere, over engines that go and come back; clients that do not read; shutdown."""

import asyncio
import random
import signal
import uuid
from contextlib import suppress
from pathlib import Path
from uuid import UUID

import asyncpg
from redis.asyncio import Redis

from api.kit.redis.subscriptions import Subscriptions
from tests.client import Client, Person
from tests.connections import connect_arguments
from tests.faults.looking import connected
from tests.faults.servers import Engine, Palaver, running
from tests.faults.test_valkey import killed
from tests.streams import Parser

CUTS = 500
READERS = 25
WRITERS = 3


async def insist(send: Client, path: str, text: str) -> int:
    """Reply until it is acknowledged; return the version."""
    key = {"Idempotency-Key": str(uuid.uuid4())}
    while True:
        response = await send.post(path, {"body": text}, headers=key)
        if response.status_code == 201:
            return int(response.json()["version"])
        assert response.status_code in (409, 503), response.text
        await asyncio.sleep(0.05)


class Reader:
    """A client whose connection breaks again and again, which goes on after its last message."""

    def __init__(self, ports: list[int], article: str, seed: int) -> None:
        self._ports = ports
        self._article = article
        self._chance = random.Random(seed)
        self.last_id = 0
        self.ids: list[int] = []

    async def listen(self, *, until: int | None = None) -> bool:
        """Take some of a stream, and break off anywhere; or take it up to a version.

        False when there was no stream.
        """
        port = self._chance.choice(self._ports)
        target = f"/v1/articles/{self._article}/events?last_event_id={self.last_id}"
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            if b" 503 " in head.split(b"\r\n")[0]:
                await asyncio.sleep(0.05)
                return False
            assert b" 200 " in head.split(b"\r\n")[0], head
            with suppress(TimeoutError):
                async with asyncio.timeout(None if until else self._chance.uniform(0, 0.1)):
                    await self._take(reader, until, self._chance.randrange(1500))
        finally:
            writer.transport.abort()
        return True

    async def _take(self, reader: asyncio.StreamReader, until: int | None, size: int) -> None:
        """Take chunks until a version has come, or so many bytes."""
        parser = Parser()
        while self.last_id < until if until else size > 0:
            length = int(await reader.readline(), 16)
            assert length, "the stream has ended"
            part = (await reader.readexactly(length + 2))[:-2]
            for told in parser.feed(part if until else part[:size]):
                assert told.event == "change", told
                self.ids.append(told.id)
            self.last_id = max(self.last_id, parser.last_id or 0)
            size -= length


async def test_500_random_cuts_leave_no_gap_and_tell_nothing_twice(
    forum: Client, server: Palaver, folder: Path, postgres: Engine, valkey: Engine
) -> None:
    """While several write, Valkey is killed and PostgreSQL restarted."""
    people = [await forum.join() for _ in range(WRITERS)]
    article = await people[0].post_article()
    path = f"/v1/articles/{article['id']}/comments"
    # What the first of them writes is seen by nobody else, and makes versions all the same.
    await shadow_ban(postgres, people[0])
    public: set[int] = set()
    cuts = 0

    async def write(person: Person) -> None:
        while cuts < CUTS:
            version = await insist(person.client, path, "I see.")
            if person is not people[0]:
                public.add(version)
            await asyncio.sleep(0.02)

    async def cut(reader: Reader) -> None:
        nonlocal cuts
        while cuts < CUTS:
            has_cut = await reader.listen()
            cuts += has_cut

    async def break_engines() -> None:
        with killed(valkey):
            await asyncio.sleep(0.3)
        await asyncio.to_thread(postgres.stop)
        await asyncio.sleep(0.1)
        await asyncio.to_thread(postgres.start)

    with running("serve", folder, postgres, valkey) as second:
        ports = [server.port, second.port]
        readers = [Reader(ports, article["id"], seed) for seed in range(READERS)]
        await asyncio.gather(
            break_engines(), *map(write, people), *(cut(reader) for reader in readers)
        )
        last = await insist(people[1].client, path, "The last one.")
        public.add(last)
        for reader in readers:
            while reader.last_id < last:
                await reader.listen(until=last)
            assert reader.ids == sorted(public)
    assert len(public) > 20
    assert last > len(public)  # there were versions that nobody is told of


async def shadow_ban(postgres: Engine, person: Person) -> None:
    connection = await asyncpg.connect(**connect_arguments(postgres.url))
    await connection.execute(
        "INSERT INTO sanctions (id, user_id, kind, reason, message, note, starts_at)"
        " VALUES (gen_random_uuid(), $1, 'shadow_ban', 'other', '', '', now())",
        UUID(person.id),
    )
    await connection.close()


async def test_a_shutdown_ends_streams_as_it_ends_responses(
    folder: Path, postgres: Engine, valkey: Engine, emptied: None
) -> None:
    with running("serve", folder, postgres, valkey) as palaver:
        async with connected(palaver) as forum:
            article = await (await forum.join()).post_article()
            path = f"/v1/articles/{article['id']}/events"
            async with forum.http.stream("GET", path) as response:
                assert response.status_code == 200
                parser = Parser()
                palaver.terminate()
                # To the end that the service gave it.
                async for part in response.aiter_raw():
                    parser.feed(part)
                assert parser.last_id == 0
                assert parser.retry not in (None, 3000)
        assert await asyncio.to_thread(palaver.process.wait, 15) in (0, -signal.SIGTERM)


async def test_subscriptions_come_back_with_valkey(valkey: Engine) -> None:
    heard: dict[str, asyncio.Queue[bytes]] = {"a": asyncio.Queue(), "b": asyncio.Queue()}

    async def expect(channel: str, message: bytes) -> None:
        async with asyncio.timeout(30):
            assert await heard[channel].get() == message

    async def publish(channel: str, message: bytes) -> None:
        redis = Redis.from_url(valkey.url)
        await redis.publish(channel, message)
        await redis.aclose()

    subscriptions = Subscriptions(valkey.url)
    subscriptions.subscribe("a", heard["a"].put_nowait)
    await expect("a", b"")
    await publish("a", b"one")
    await expect("a", b"one")
    with killed(valkey):
        # Added while nobody can be told.
        subscriptions.subscribe("b", heard["b"].put_nowait)
    for channel in heard:
        await expect(channel, b"")
    subscriptions.unsubscribe("a")
    subscriptions.subscribe("b", heard["b"].put_nowait)
    await expect("b", b"")
    for channel in heard:
        await publish(channel, b"two")
    await expect("b", b"two")
    assert heard["a"].empty()
    await subscriptions.close()
