"""Answers that are good for one version of one subject, kept in Redis and in the process.

A subject (an article) has a number that only grows. An answer is stored under the version that was
read in the same snapshot as its rows, so a slow reader can't store old rows under a new version.
Beside the answers stands a pointer to the newest version, which writers raise after their commit
and nobody ever lowers. Every read asks for the pointer first; all reads that ask while the last
question is under way share the next MGET. So a hit is never older than the last acknowledged write.

While Redis is away every read goes to the database, one at a time for each answer.
"""

import asyncio
import contextlib
import functools
import itertools
import secrets
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import structlog
from redis.typing import EncodableT
from zstandard import ZstdError

from api.kit.cache.local import CacheEntry, LocalCache, RenderedPage
from api.kit.redis.client import GuardedRedis, RedisUnavailable

log = structlog.get_logger(__name__)

# Seconds. An answer lives at most the sum of both: in Redis, then in a process that fetched it.
REDIS_LIFETIME = 30
LOCAL_LIFETIME = 30
# Seconds that the pointer of an idle subject is kept; without one the next read finds it anew.
POINTER_LIFETIME = 86_400
# Seconds. How long one process may take to build before others build for themselves.
LEASE = 1.0
LEASE_POLL = 0.01
# Part of each key and tag: raised when the same rows make another answer.
FORMAT = 1

# The count of a subject that has no version in the database. It begins anywhere, so that answers
# from before Redis forgot it are never taken for newer ones.
_MAX_BEGINNING = 2**48

# Each a single step: nobody sees Redis between its commands, and it costs one round trip.
_RAISE = """
local function raise(key, version, lifetime)
  if tonumber(version) > tonumber(redis.call('GET', key) or '-1') then
    redis.call('SET', key, version, 'EX', lifetime)
  end
end
"""
# KEYS: pointers to raise, then pointers to count; ARGV: the lifetime, then a version to raise to.
_ADVANCE = f"""{_RAISE}
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
_WAIT = 0
_LEASED = -1
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


@dataclass(frozen=True, slots=True)
class Pointer:
    """What Redis knows of a subject's newest version: None when nothing, or when it is away."""

    version: int | None
    redis_unavailable: bool
    # When the read began, in the order of all reads and builds of this process.
    asked: int


@dataclass(slots=True)
class _Flight:
    """A build under way, and when it began in the order of everything that asked."""

    began: int
    task: "asyncio.Task[CacheEntry]"


@dataclass(slots=True)
class _Question:
    """Who waits to hear of a subject's pointer."""

    subject: UUID
    waiting: "list[asyncio.Future[int | None]]" = field(default_factory=list)


class VersionedCache:
    """The cache of one kind of answer; `namespace` keeps it apart from others in one Redis."""

    def __init__(self, redis: GuardedRedis, *, namespace: str, max_bytes: int) -> None:
        self._redis = redis
        self._namespace = namespace
        self._local = LocalCache[tuple[UUID, str], CacheEntry](max_bytes)
        self._flights: dict[tuple[UUID, str], _Flight] = {}
        self._order = itertools.count()
        # By the subjects' numbers: UUIDs hash and compare in Python.
        self._asking: dict[int, _Question] = {}
        self._asker: asyncio.Task[None] | None = None

    async def publish_versions(
        self, versions: Mapping[UUID, int], *, counted: Collection[UUID] = ()
    ) -> None:
        """Raise pointers, and say which subjects that are only counted have changed.

        In one round trip. Raises RedisUnavailable.
        """
        keys = [self._pointer_key(subject) for subject in (*versions, *counted)]
        await self._run(_ADVANCE, keys, POINTER_LIFETIME, *versions.values())

    async def begin_counted_read(self, subject: UUID) -> Pointer:
        """Begin a read of a subject that is only counted, before its rows are read.

        Its answers are stored under the count from before their rows, and writers count after they
        commit: so an answer has everything that was counted by then, and perhaps more.
        """
        pointer = await self.begin_read(subject)
        if pointer.version is not None or pointer.redis_unavailable:
            return pointer
        beginning = secrets.randbelow(_MAX_BEGINNING) + 1
        try:
            key = self._pointer_key(subject)
            count = await self._run(_BEGIN, [key], beginning, POINTER_LIFETIME)
        except RedisUnavailable:
            return replace(pointer, redis_unavailable=True)
        return replace(pointer, version=int(count))

    async def begin_read(self, subject: UUID) -> Pointer:
        """Begin a read: return the newest version that Redis knows of after this call."""
        asked = next(self._order)
        try:
            version = await self.find_version(subject)
        except RedisUnavailable:
            return Pointer(None, redis_unavailable=True, asked=asked)
        return Pointer(version, redis_unavailable=False, asked=asked)

    def find_version(self, subject: UUID) -> "asyncio.Future[int | None]":
        """Return a future of the newest version that Redis knows of after this call.

        All that are asked for while the answer to the last question is under way share the next
        MGET. The future raises RedisUnavailable.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[int | None] = loop.create_future()
        question = self._asking.get(subject.int)
        if question is None:
            question = self._asking[subject.int] = _Question(subject)
            if self._asker is None:
                self._asker = loop.create_task(self._ask_all())
        question.waiting.append(future)
        return future

    def get_if_fresh(self, subject: UUID, parameters: str, version: int) -> CacheEntry | None:
        """Return the answer if this process holds it at exactly this version."""
        entry = self._local.get((subject, parameters))
        return entry if entry is not None and entry.version == version else None

    def resize(self, subject: UUID, parameters: str, entry: CacheEntry) -> None:
        """Count the bytes of an entry again after it made another coding."""
        if self._local.get((subject, parameters)) is entry:
            self._local.put((subject, parameters), entry)

    async def read(
        self,
        subject: UUID,
        parameters: str,
        build: Callable[[], Awaitable[RenderedPage]],
        pointer: Pointer,
    ) -> CacheEntry:
        """Return the answer at the pointer's version or a newer one, from the nearest place.

        `build` reads it from the database; whatever it raises comes through.
        """
        if pointer.version is not None:
            entry = self.get_if_fresh(subject, parameters, pointer.version)
            if entry is not None:
                return entry
        return await self._fly(subject, parameters, build, pointer)

    async def _fly(
        self,
        subject: UUID,
        parameters: str,
        build: Callable[[], Awaitable[RenderedPage]],
        pointer: Pointer,
    ) -> CacheEntry:
        """Share one build among all who wait for the same answer.

        A flight that began before this read may have read the database before a write that this
        read must show. It is good enough only if it brings the version that the pointer named;
        without a pointer, only a flight that began later is.
        """
        key = (subject, parameters)
        while True:
            flight = self._flights.get(key)
            # One that has just landed is not forgotten before the next turn of the event loop.
            if flight is None or flight.task.done():
                task = asyncio.create_task(self._fetch(subject, parameters, build, pointer))
                flight = self._flights[key] = _Flight(next(self._order), task)
                task.add_done_callback(functools.partial(self._land, key))
            entry = await asyncio.shield(flight.task)
            is_newer = pointer.version is not None and entry.version >= pointer.version
            if is_newer or flight.began > pointer.asked:
                return entry

    def _land(self, key: tuple[UUID, str], task: "asyncio.Task[CacheEntry]") -> None:
        """Forget a flight, unless another took its place."""
        flight = self._flights.get(key)
        if flight is not None and flight.task is task:
            del self._flights[key]
        if not task.cancelled():
            # Everybody who waited may have gone; then the error is nobody's.
            task.exception()

    async def _fetch(
        self,
        subject: UUID,
        parameters: str,
        build: Callable[[], Awaitable[RenderedPage]],
        pointer: Pointer,
    ) -> CacheEntry:
        leased: int | None = None
        if pointer.version is not None:
            found = await self._get_or_lease(subject, parameters, pointer.version)
            if isinstance(found, CacheEntry):
                self._local.put((subject, parameters), found)
                return found
            leased = found
        try:
            entry = CacheEntry.from_page(await build(), lifetime=LOCAL_LIFETIME)
        except BaseException:
            if leased is not None:
                await self._release(subject, parameters, leased)
            raise
        if not pointer.redis_unavailable:
            await self._store(subject, parameters, entry, leased)
        self._local.put((subject, parameters), entry)
        return entry

    async def _get_or_lease(
        self, subject: UUID, parameters: str, version: int
    ) -> CacheEntry | int | None:
        """Return the page from Redis, or the version whose lease this process has taken.

        While another process builds the page this one waits. The other may read a newer version
        from the database than it was asked for: once its lease is gone, that version is asked for.
        None means that this process builds without a lease: it waited long enough, or Redis is
        unavailable, or what Redis holds is damaged.
        """
        for _ in range(int(LEASE / LEASE_POLL)):
            key = self._page_key(subject, version, parameters)
            keys = [key, self._lease_key(subject, version, parameters), self._pointer_key(subject)]
            try:
                found = await self._run(_GET_OR_LEASE, keys, version, int(LEASE * 1000))
            except RedisUnavailable:
                return None
            if isinstance(found, bytes):
                try:
                    return CacheEntry.load(version, found, lifetime=LOCAL_LIFETIME)
                except (ValueError, ZstdError):
                    log.warning("cached_page_damaged", key=key)
                    return None
            if found == _LEASED:
                return version
            if found == _WAIT:
                await asyncio.sleep(LEASE_POLL)
            else:
                version = found
        return None

    async def _store(
        self, subject: UUID, parameters: str, entry: CacheEntry, leased: int | None
    ) -> None:
        """Store a page under its own version, raise the pointer to it, and give the lease back.

        The lease is that of the version which was asked for; the page may have a newer one.
        """
        version = entry.version if leased is None else leased
        keys = [
            self._page_key(subject, entry.version, parameters),
            self._pointer_key(subject),
            self._lease_key(subject, version, parameters),
        ]
        try:
            await self._run(
                _STORE, keys, entry.dump(), REDIS_LIFETIME, entry.version, POINTER_LIFETIME
            )
        except RedisUnavailable:
            log.debug("page_not_stored", subject=str(subject))

    async def _release(self, subject: UUID, parameters: str, version: int) -> None:
        """Give back the lease of a build that failed: others wait for it."""
        with contextlib.suppress(RedisUnavailable):  # then it ends by itself
            await self._redis.execute("DEL", self._lease_key(subject, version, parameters))

    async def _ask_all(self) -> None:
        """Ask for pointers, one MGET after the other, until nobody waits for any."""
        while self._asking:
            # One turn of the event loop more: whoever is about to ask can share the question.
            await asyncio.sleep(0)
            asking, self._asking = self._asking, {}
            await self._fetch_pointers(list(asking.values()))
        self._asker = None

    async def _fetch_pointers(self, questions: list[_Question]) -> None:
        keys = [self._pointer_key(question.subject) for question in questions]
        try:
            pointers = await self._redis.execute("MGET", *keys)
        except Exception as error:  # noqa: BLE001 - those who asked get it, whatever it is
            for question in questions:
                for future in question.waiting:
                    if not future.done():
                        future.set_exception(error)
            return
        for question, pointer in zip(questions, pointers, strict=True):
            version = None if pointer is None else int(pointer)
            for future in question.waiting:
                if not future.done():
                    future.set_result(version)

    async def _run(self, script: str, keys: Sequence[str], *arguments: EncodableT) -> Any:
        """Run a script. Raises RedisUnavailable."""
        return await self._redis.execute("EVAL", script, len(keys), *keys, *arguments)

    def _pointer_key(self, subject: UUID) -> str:
        return f"{self._namespace}:{subject}:v"

    def _page_key(self, subject: UUID, version: int, parameters: str) -> str:
        return f"{self._namespace}:{subject}:{FORMAT}:{version}:{parameters}"

    def _lease_key(self, subject: UUID, version: int, parameters: str) -> str:
        return f"{self._page_key(subject, version, parameters)}:lease"
