"""Pages that are good for one version of one subject, cached in Redis.

A subject (an article) has a number that only grows. A page is stored under the version that was
read in the same snapshot as its rows, so a slow reader cannot store old rows under a new version.
Redis also has a pointer to the newest version, which writers raise after their commit and nobody
ever lowers. Every read asks for the pointer first; all reads that ask while the last command is
under way share the next MGET. So a hit is never older than the last acknowledged write.

The process stores whole responses, in the edge (`api.kit.cache.edge`), and no pages: for the few
that are not there, one command brings the page from Redis (docs/decisions/0024).

Versions are those of one database, so everything is stored under its epoch (`api.kit.db.epoch`).
While Redis is unavailable every read goes to the database, one at a time for each page.
"""

import asyncio
import contextlib
import functools
import itertools
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, replace
from uuid import UUID

import structlog

from api.kit.cache.pages import CacheEntry, RenderedPage
from api.kit.cache.store import PageId, PageStore, name_channel
from api.kit.db.epoch import EpochReader
from api.kit.redis.client import GuardedRedis, RedisUnavailable

log = structlog.get_logger(__name__)

# Part of each key and tag: raised when the same rows make another page.
FORMAT = 3


@dataclass(frozen=True, slots=True)
class Pointer:
    """What Redis knows of a subject's newest version: None when nothing, or when it is unavailable.

    `can_store` is false while Redis is unavailable or the epoch is not settled.
    """

    epoch: str
    version: int | None
    can_store: bool
    # When the read began, in the order of all reads and builds of this process.
    began: int


@dataclass(slots=True)
class _Flight:
    """A build under way, and when it began in the order of all reads and builds."""

    began: int
    task: "asyncio.Task[CacheEntry]"


class VersionedCache:
    """The cache of one kind of page; `namespace` keeps it apart from others in one Redis."""

    def __init__(self, redis: GuardedRedis, epoch: EpochReader, *, namespace: str) -> None:
        self._epoch = epoch
        self._namespace = namespace
        self._store = PageStore(redis, namespace=namespace, page_format=FORMAT)
        self._flights: dict[PageId, _Flight] = {}
        self._order = itertools.count()

    async def publish_versions(
        self, versions: Mapping[UUID, int], *, counted: Collection[UUID] = ()
    ) -> None:
        """Raise pointers, and announce that subjects which are only counted have changed.

        One round trip. Raises RedisUnavailable, DatabaseUnavailable.
        """
        epoch = await self._epoch.get()
        await self._store.publish(epoch.value, versions, counted=counted)

    def name_channel(self, subject: UUID) -> str:
        """Return the channel on which Redis tells of each newer version of a subject."""
        return name_channel(self._namespace, subject)

    async def begin_counted_read(self, subject: UUID) -> Pointer:
        """Begin a read of a subject that is only counted, before its rows are read.

        Its pages are stored under the count from before their rows, and writers count after they
        commit: so a page has everything that was counted by then, and perhaps more. Raises
        DatabaseUnavailable.
        """
        pointer = await self.begin_read(subject)
        if pointer.version is not None or not pointer.can_store:
            return pointer
        try:
            count = await self._store.begin_count(pointer.epoch, subject)
        except RedisUnavailable:
            return replace(pointer, can_store=False)
        return replace(pointer, version=count)

    async def begin_read(self, subject: UUID) -> Pointer:
        """Begin a read: return the newest version that Redis knows of after this call.

        Raises DatabaseUnavailable when this process does not know the database's epoch.
        """
        began = next(self._order)
        while True:
            epoch = await self._epoch.get()
            if not epoch.is_settled:
                return Pointer(epoch.value, None, can_store=False, began=began)
            try:
                version = await self._store.find_version(epoch.value, subject)
            except RedisUnavailable:
                return Pointer(epoch.value, None, can_store=False, began=began)
            if self._epoch.find_current() == epoch:
                return Pointer(epoch.value, version, can_store=True, began=began)

    async def is_newest(self, epoch: str, subject: UUID, version: int) -> bool:
        """Tell whether a version is the newest that Redis knows of after this call."""
        if not self._is_current(epoch):
            return False
        try:
            newest = await self._store.find_version(epoch, subject)
        except RedisUnavailable:
            return False
        return newest == version and self._is_current(epoch)

    async def read(
        self,
        subject: UUID,
        parameters: str,
        build: Callable[[], Awaitable[RenderedPage]],
        pointer: Pointer,
    ) -> CacheEntry:
        """Return the page at the pointer's version or a newer one, from the nearest place.

        `build` reads it from the database; whatever it raises comes through.
        """
        return await self._join_flight(PageId(pointer.epoch, subject, parameters), build, pointer)

    def _is_current(self, epoch: str) -> bool:
        current = self._epoch.find_current()
        return current is not None and current.is_settled and current.value == epoch

    async def _join_flight(
        self, page: PageId, build: Callable[[], Awaitable[RenderedPage]], pointer: Pointer
    ) -> CacheEntry:
        """Share one build among all who wait for the same page.

        A flight that began before this read may have read the database before a write that this
        read must show. It is good enough only if it brings the version that the pointer named;
        without a pointer, only a flight that began later is.
        """
        while True:
            flight = self._flights.get(page)
            # One that has just landed is not forgotten before the next turn of the event loop.
            if flight is None or flight.task.done():
                task = asyncio.create_task(self._fetch(page, build, pointer))
                flight = self._flights[page] = _Flight(next(self._order), task)
                task.add_done_callback(functools.partial(self._forget_flight, page))
            entry = await asyncio.shield(flight.task)
            if entry.is_at_least(pointer.version) or flight.began > pointer.began:
                return entry

    def _forget_flight(self, page: PageId, task: "asyncio.Task[CacheEntry]") -> None:
        """Forget a flight, unless another took its place."""
        flight = self._flights.get(page)
        if flight is not None and flight.task is task:
            del self._flights[page]
        if not task.cancelled():
            # All who waited may have gone; then nobody else looks at the error.
            task.exception()

    async def _fetch(
        self, page: PageId, build: Callable[[], Awaitable[RenderedPage]], pointer: Pointer
    ) -> CacheEntry:
        leased: int | None = None
        if pointer.version is not None:
            with contextlib.suppress(RedisUnavailable):
                found = await self._store.get_or_lease(page, pointer.version)
                if isinstance(found, CacheEntry):
                    return found
                leased = found
        try:
            entry = CacheEntry.from_page(await build())
        except BaseException:
            if leased is not None:
                with contextlib.suppress(RedisUnavailable):  # then it ends by itself
                    await self._store.release(page, leased)
            raise
        if pointer.can_store and entry.version is not None:
            try:
                await self._store.store(page, entry.version, entry, leased=leased)
            except RedisUnavailable:
                log.debug("page_not_stored", subject=str(page.subject))
        return entry
