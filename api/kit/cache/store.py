"""What the cache stores in Redis: pages, leases, and a pointer to each subject's newest version.

All keys of one subject share a hash tag, so that a script finds them on one node of a cluster:
`<namespace>:{<subject>}:<epoch>.<server>:...`. The epoch is that of the database, and the server is
the replication id of the Redis server that holds the key. So a server that is behind (a replica
that was promoted, a copy that was restored) has none of the keys that its clients ask for.
"""

import asyncio
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from uuid import UUID

import structlog
from zstandard import ZstdError

from api.kit.cache.pages import CacheEntry
from api.kit.redis.client import GuardedRedis

log = structlog.get_logger(__name__)

# Seconds that a page is stored.
REDIS_LIFETIME = 30
# Seconds that the pointer of an idle subject is stored; without one the next read finds it anew.
POINTER_LIFETIME = 86_400
# Seconds. How long one process may take to build before others build for themselves.
LEASE = 1.0
LEASE_POLL = 0.01

# The count of a subject that has no version in the database. It begins anywhere, so that pages
# from before Redis forgot it are never taken for newer ones.
_MAX_BEGINNING = 2**48

# Each script is one step, since Redis runs no other command meanwhile, and one round trip.
# Whoever raises a pointer tells those who listen to the subject (`name_channel`): the hash tag and
# what stands before it, so that a change of epoch or server moves no channel.
_RAISE = """
local function raise(key, version, lifetime)
  if tonumber(version) > tonumber(redis.call('GET', key) or '-1') then
    redis.call('SET', key, version, 'EX', lifetime)
    redis.call('PUBLISH', string.match(key, '^[^}]*}'), version)
  end
end
"""
# KEYS: pointers to raise, then pointers to count; ARGV: the lifetime, then a version to raise to.
_PUBLISH = f"""{_RAISE}
for i = 2, #ARGV do raise(KEYS[i - 1], ARGV[i], ARGV[1]) end
for i = #ARGV, #KEYS do
  if redis.call('EXISTS', KEYS[i]) == 1 then redis.call('INCR', KEYS[i]) end
end
"""
_BEGIN = """
local known = redis.call('GET', KEYS[1])
if known then return known end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return ARGV[1]
"""
# KEYS: the page, its lease, the pointer; ARGV: the page's version, how long to lease it (ms).
# Returns the page, or the newest version if that is another one and nobody builds this one, or
# _WAIT, or _LEASED.
_WAIT: Final = 0
_LEASED: Final = -1
_GET_OR_LEASE = f"""
local page = redis.call('GET', KEYS[1])
if page then return page end
if redis.call('EXISTS', KEYS[2]) == 1 then return {_WAIT} end
local newest = tonumber(redis.call('GET', KEYS[3]) or '-1')
if newest > tonumber(ARGV[1]) then return newest end
redis.call('SET', KEYS[2], 1, 'PX', ARGV[2])
return {_LEASED}
"""
# KEYS: the page, the pointer, the lease of the version that was asked for;
# ARGV: what is stored, for how long, version, the pointer's lifetime.
_STORE = f"""{_RAISE}
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
redis.call('DEL', KEYS[3])
raise(KEYS[2], ARGV[3], ARGV[4])
"""


def name_channel(namespace: str, subject: UUID) -> str:
    """Return the channel on which Redis tells of each newer version of a subject."""
    return f"{namespace}:{{{subject}}}"


class PageId(NamedTuple):
    """Which page of which subject, in which epoch."""

    epoch: str
    subject: UUID
    parameters: str


@dataclass(slots=True)
class _Waiting:
    """Who waits to hear of a subject's pointer."""

    subject: UUID
    epoch: str
    futures: "list[asyncio.Future[int | None]]" = field(default_factory=list)


class PageStore:
    """The pages of one kind in Redis; `namespace` keeps them apart from others.

    Every method raises RedisUnavailable, unless it says otherwise.
    """

    def __init__(self, redis: GuardedRedis, *, namespace: str, page_format: int) -> None:
        self._redis = redis
        self._namespace = namespace
        self._format = page_format
        # By the subjects' numbers: UUIDs hash and compare in Python.
        self._waiting: dict[tuple[int, str], _Waiting] = {}
        self._fetching: asyncio.Task[None] | None = None

    async def publish(
        self, epoch: str, versions: Mapping[UUID, int], *, counted: Collection[UUID]
    ) -> None:
        """Raise pointers to versions, and count up those of subjects that are only counted."""
        subjects = (*versions, *counted)

        def make_command(server: str) -> tuple[str | int, ...]:
            keys = [self._key(epoch, server, subject, "v") for subject in subjects]
            return "EVAL", _PUBLISH, len(keys), *keys, POINTER_LIFETIME, *versions.values()

        await self._redis.execute_on_server(make_command)

    async def begin_count(self, epoch: str, subject: UUID) -> int:
        """Return the count of a subject, which begins at a random number."""
        beginning = secrets.randbelow(_MAX_BEGINNING) + 1
        count = await self._redis.execute_on_server(
            lambda server: (
                *("EVAL", _BEGIN, 1, self._key(epoch, server, subject, "v")),
                *(beginning, POINTER_LIFETIME),
            )
        )
        return int(count)

    def find_version(self, epoch: str, subject: UUID) -> "asyncio.Future[int | None]":
        """Return a future of the newest version that Redis knows of after this call.

        All that are asked for while the last command is under way share the next MGET.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[int | None] = loop.create_future()
        waiting = self._waiting.get((subject.int, epoch))
        if waiting is None:
            waiting = self._waiting[subject.int, epoch] = _Waiting(subject, epoch)
            if self._fetching is None:
                self._fetching = loop.create_task(self._fetch_all_pointers())
        waiting.futures.append(future)
        return future

    async def get_or_lease(self, page: PageId, version: int) -> CacheEntry | int | None:
        """Return the page, or the version whose lease this process has taken.

        While another process builds the page this one waits. The other may read a newer version
        from the database than it was asked for: once its lease is gone, that version is asked for.
        None means that this process builds without a lease, because it waited for long enough, or
        what Redis holds is damaged.
        """
        for _ in range(int(LEASE / LEASE_POLL)):
            found = await self._try_get_or_lease(page, version)
            if isinstance(found, bytes):
                try:
                    return CacheEntry.load(version, found)
                except (ValueError, ZstdError):
                    log.warning("cached_page_damaged", subject=str(page.subject), version=version)
                    return None
            if found == _LEASED:
                return version
            if found == _WAIT:
                await asyncio.sleep(LEASE_POLL)
            else:
                version = found
        return None

    async def _try_get_or_lease(self, page: PageId, version: int) -> bytes | int:
        def make_command(server: str) -> tuple[str | int, ...]:
            keys = (
                self._page_key(page, server, version),
                self._lease_key(page, server, version),
                self._key(page.epoch, server, page.subject, "v"),
            )
            return "EVAL", _GET_OR_LEASE, len(keys), *keys, version, int(LEASE * 1000)

        found: bytes | int = await self._redis.execute_on_server(make_command)
        return found

    async def store(
        self, page: PageId, version: int, entry: CacheEntry, *, leased: int | None
    ) -> None:
        """Store a page under its version, raise the pointer to it, and give the lease back.

        The lease is that of the version which was asked for; the page may have a newer one.
        """

        def make_command(server: str) -> tuple[str | int | bytes, ...]:
            keys = (
                self._page_key(page, server, version),
                self._key(page.epoch, server, page.subject, "v"),
                self._lease_key(page, server, version if leased is None else leased),
            )
            values = (entry.dump(), REDIS_LIFETIME, version, POINTER_LIFETIME)
            return "EVAL", _STORE, len(keys), *keys, *values

        await self._redis.execute_on_server(make_command)

    async def release(self, page: PageId, version: int) -> None:
        """Give back the lease of a build that failed: others wait for it."""
        await self._redis.execute_on_server(
            lambda server: ("DEL", self._lease_key(page, server, version))
        )

    async def _fetch_all_pointers(self) -> None:
        """Fetch pointers, one MGET after the other, until nobody waits for any."""
        while self._waiting:
            # One turn of the event loop more: requests that come in it share the command.
            await asyncio.sleep(0)
            waiting, self._waiting = self._waiting, {}
            await self._fetch_pointers(list(waiting.values()))
        self._fetching = None

    async def _fetch_pointers(self, waiting: list[_Waiting]) -> None:
        def make_command(server: str) -> list[str]:
            return ["MGET", *(self._key(one.epoch, server, one.subject, "v") for one in waiting)]

        try:
            pointers = await self._redis.execute_on_server(make_command)
        except Exception as error:  # noqa: BLE001 - those who wait get it, whatever it is
            for one in waiting:
                for future in one.futures:
                    if not future.done():
                        future.set_exception(error)
            return
        for one, pointer in zip(waiting, pointers, strict=True):
            version = None if pointer is None else int(pointer)
            for future in one.futures:
                if not future.done():
                    future.set_result(version)

    def _key(self, epoch: str, server: str, subject: UUID, name: str) -> str:
        return f"{name_channel(self._namespace, subject)}:{epoch}.{server}:{name}"

    def _page_key(self, page: PageId, server: str, version: int) -> str:
        name = f"{self._format}:{version}:{page.parameters}"
        return self._key(page.epoch, server, page.subject, name)

    def _lease_key(self, page: PageId, server: str, version: int) -> str:
        return f"{self._page_key(page, server, version)}:lease"
