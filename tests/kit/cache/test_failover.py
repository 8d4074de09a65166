"""A Redis that lacks the latest writes takes over at the same address: no stale page."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from api.kit.settings import Settings
from tests.client import Client, expect
from tests.conftest import Process
from tests.kit.redis.valkey import Valkey
from tests.waiting import wait_until


class Address:
    """An address whose connections lead to one server or another, as behind a proxy."""

    def __init__(self) -> None:
        self.target = 0
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_connection("127.0.0.1", self.target)
        self._open |= {writer, to_server}
        await asyncio.gather(self._copy(reader, to_server), self._copy(from_server, writer))

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                writer.write(data)
        except OSError:
            pass
        finally:
            writer.close()

    def lead_to(self, valkey: Valkey) -> None:
        """Lead to a server from now on; whoever is connected is cut off."""
        self.target = valkey.port
        for writer in self._open:
            writer.close()
        self._open.clear()

    async def stop(self) -> None:
        self._server.close()
        for writer in self._open:
            writer.close()
        await asyncio.sleep(0)


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Valkey, Valkey]]:
    primary, replica = (Valkey(tmp_path_factory.mktemp(name)) for name in ("primary", "replica"))
    primary.start()
    replica.start()
    yield primary, replica
    primary.kill()
    replica.kill()


@pytest.fixture
async def address(engines: tuple[Valkey, Valkey]) -> AsyncIterator[Address]:
    address = Address()
    address.target = engines[0].port
    await address.start()
    yield address
    await address.stop()


@pytest.fixture
def settings(settings: Settings, address: Address, tmp_path: Path) -> Settings:
    return settings.model_copy(update={"redis_url": f"redis://127.0.0.1:{address.port}/0"})


async def test_a_promoted_replica_that_lacks_a_write_serves_no_stale_tree(
    client: Client,
    start_process: Callable[[], Awaitable[Process]],
    engines: tuple[Valkey, Valkey],
    address: Address,
) -> None:
    primary, replica = engines
    other = (await start_process()).client
    person = await client.join()
    article = await person.post_article()
    await person.reply(article["id"], "First.")
    reads = (f"/v1/articles/{article['id']}/comments", "/v1/articles?sort=active")
    old = {}
    for path in reads:
        for process in (client, other):
            old[path] = (await process.get(path)).headers["etag"]
    async with Redis.from_url(primary.url) as one, Redis.from_url(replica.url) as two:
        await two.replicaof("127.0.0.1", str(primary.port))

        async def is_copied() -> bool:
            has_pointers = await two.keys("tree:*:v")
            return bool(has_pointers) and await two.dbsize() == await one.dbsize()

        await wait_until(is_copied)
        # From here on it lacks what is written.
        await two.replicaof("NO", "ONE")
    written = await person.reply(article["id"], "Second.")
    for process in (client, other):
        assert (await process.tree(article["id"]))["version"] == written["version"]

    address.lead_to(replica)
    versions = [(await process.tree(article["id"]))["version"] for process in (other, client)]
    assert versions == [written["version"]] * 2, "a stale tree"
    for process in (other, client):
        for path in reads:
            response = await process.get(path, headers={"If-None-Match": old[path]})
            expect(response, 200)
