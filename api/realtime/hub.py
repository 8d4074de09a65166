"""The hub: the open streams of one process, their bounds, and what ends them."""

import asyncio
import contextvars
import itertools
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import NoReturn
from uuid import UUID

import structlog

from api.kit.db.database import DatabaseUnavailable
from api.kit.http.event_streams import (
    MAX_QUEUED_BYTES,
    EndReason,
    EventStream,
    encode_position,
    encode_retry,
)
from api.kit.metrics import STREAMS, STREAMS_ENDED
from api.kit.problems import NotFound, Problem
from api.kit.redis.subscriptions import Subscriptions
from api.kit.services import Services
from api.realtime import queries
from api.realtime.channels import ArticleChannels, InboxChannel
from api.realtime.errors import StreamsExhausted, TooManyStreams
from api.realtime.messages import (
    make_inbox_reset,
    make_inbox_update,
    make_reset,
    make_update,
)
from api.realtime.topics import Topics, Update

log = structlog.get_logger(__name__)

# Seconds between two comments on a stream on which nothing else is sent. Proxies close what is
# silent for a minute, some for half of one.
KEEP_ALIVE_EVERY = 15
# Seconds after which the database is asked for what no wake-up told of, and whether the credentials
# of streams are still valid: one statement each, for all streams of the process.
LOOK_EVERY = 2.0
# Messages that a client can resume after; one that missed more is told to read it all again.
MAX_BACKLOG = 500
# Milliseconds until a client connects again: after a stream broke, and, chosen at random so that
# not all come at once, after a server was stopped.
RETRY = 3000
RETRY_AFTER_SHUTDOWN = (500, 5000)
# Seconds until a task of the hub that failed is started again.
_AFTER_FAILURE = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """Who opens a stream: an address, and a person with the credential that they came with."""

    address: str
    user_id: UUID | None = None
    # Of a session's access token, which is valid for minutes while the session goes on.
    session_id: UUID | None = None
    # Of any other credential.
    token_hash: bytes | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """What its streams are counted under: the address, and the person where there is one."""
        person = () if self.user_id is None else (f"user:{self.user_id}",)
        return (f"address:{self.address}", *person)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an open stream belongs."""

    listener: Listener
    topics: Topics
    subject: UUID
    # The second of KEEP_ALIVE_EVERY in which it gets its comment.
    turn: int


class Hub:
    """The open streams of one process; for one event loop.

    `is_draining` tells whether the process is shutting down. Nothing runs before the first stream.
    """

    def __init__(self, services: Services, is_draining: Callable[[], bool]) -> None:
        self._services = services
        self._is_draining = is_draining
        self._subscriptions = Subscriptions(services.settings.redis_url or "")
        self.articles = Topics(
            self._read_articles, make_reset, ArticleChannels(services.cache, self._subscriptions)
        )
        self.inboxes = Topics(
            self._read_inboxes, make_inbox_reset, InboxChannel(self._subscriptions)
        )
        self._places: dict[EventStream, _Place] = {}
        self._counts: Counter[str] = Counter()
        self._turns = itertools.cycle(range(KEEP_ALIVE_EVERY))
        self._tasks: list[asyncio.Task[NoReturn]] = []

    async def open(
        self,
        topics: Topics,
        subject: UUID,
        listener: Listener,
        after: int | None,
        *,
        missing: type[Problem] = NotFound,
    ) -> EventStream:
        """Return a stream of what comes after a position; without one, of what comes from now on.

        It has to be closed. Raises `missing` where nothing can be seen, TooManyStreams,
        StreamsExhausted or DatabaseUnavailable.
        """
        stream = self._admit(listener, topics, subject)
        try:
            # First what will come, then what was: nothing falls between.
            await topics.join(subject, stream)
            update = (await topics.read({subject: after}, MAX_BACKLOG))[subject]
        except BaseException:
            self.close(stream)
            raise
        if not update.is_visible:
            self.close(stream)
            raise missing
        messages = update.messages
        size = sum(len(one.part) for one in messages)
        if update.position < update.newest or size > MAX_QUEUED_BYTES:
            messages = (topics.make_reset(subject, update.newest),)
        parts = [encode_retry(RETRY), *(one.part for one in messages)]
        stream.begin(update.newest, b"".join([*parts, encode_position(update.newest)]))
        return stream

    def close(self, stream: EventStream) -> None:
        """Forget a stream; one that is not known is ignored."""
        place = self._places.pop(stream, None)
        if place is None:
            return
        place.topics.leave(place.subject, stream)
        for key in place.listener.keys:
            self._counts[key] -= 1
            if not self._counts[key]:
                del self._counts[key]
        STREAMS.dec()
        STREAMS_ENDED.labels(stream.ended.value if stream.ended else "client").inc()

    async def stop(self) -> None:
        """End all streams, and what runs for them."""
        self._end_all()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._subscriptions.close()

    def _admit(self, listener: Listener, topics: Topics, subject: UUID) -> EventStream:
        settings = self._services.settings
        if len(self._places) >= min(settings.max_streams, settings.max_connections // 2):
            raise StreamsExhausted
        limits = (settings.max_streams_per_address, settings.max_streams_per_person)
        for key, limit in zip(listener.keys, limits, strict=False):
            if self._counts[key] >= limit:
                raise TooManyStreams
        if not self._tasks:
            watched = (self.articles, self.inboxes)
            steps = (*(one.tell_woken for one in watched), self._tick, self._look)
            # They outlive the request, whose context names it in the log.
            self._tasks = [
                asyncio.create_task(_repeat(step), context=contextvars.Context()) for step in steps
            ]
        stream = EventStream()
        self._places[stream] = _Place(listener, topics, subject, next(self._turns))
        self._counts.update(listener.keys)
        STREAMS.inc()
        return stream

    async def _tick(self) -> None:
        """Send comments for a while, and end all streams when the process is shutting down."""
        for second in range(KEEP_ALIVE_EVERY):
            await asyncio.sleep(1)
            if self._is_draining():
                self._end_all()
            for stream, place in list(self._places.items()):
                if place.turn == second:
                    stream.keep_alive()

    async def _look(self) -> None:
        """Find what no wake-up told of, and end streams whose credentials are no longer valid."""
        await asyncio.sleep(LOOK_EVERY)
        self.articles.wake_all()
        self.inboxes.wake_all()
        listeners = [place.listener for place in self._places.values()]
        session_ids = {one.session_id for one in listeners if one.session_id is not None}
        token_hashes = {one.token_hash for one in listeners if one.token_hash is not None}
        if not (session_ids or token_hashes):
            return
        now = self._services.clock.now()
        async with self._services.database.read_connection() as connection:
            active_ids = await queries.find_active_sessions(connection, session_ids, now)
            active_hashes = await queries.find_active_tokens(connection, token_hashes, now)
        ended_ids, ended_hashes = session_ids - active_ids, token_hashes - active_hashes
        if not (ended_ids or ended_hashes):
            return
        for stream, place in list(self._places.items()):
            listener = place.listener
            if listener.session_id in ended_ids or listener.token_hash in ended_hashes:
                stream.end(EndReason.CREDENTIALS)

    def _end_all(self) -> None:
        for stream in list(self._places):
            retry = encode_retry(random.randint(*RETRY_AFTER_SHUTDOWN))  # noqa: S311 - no secret
            stream.end(EndReason.SHUTDOWN, retry)

    async def _read_articles(
        self, positions: Mapping[UUID, int | None], limit: int
    ) -> dict[UUID, Update]:
        async with self._services.database.read_connection() as connection:
            states = await queries.read_changes(connection, positions, limit=limit)
        types = self._services.reactions.event_types
        return {
            article_id: make_update(article_id, positions[article_id], state, types)
            for article_id, state in states.items()
        }

    async def _read_inboxes(
        self, positions: Mapping[UUID, int | None], limit: int
    ) -> dict[UUID, Update]:
        async with self._services.database.read_connection() as connection:
            states = await queries.read_inboxes(connection, positions, limit=limit)
        return {
            user_id: make_inbox_update(positions[user_id], state, limit=limit)
            for user_id, state in states.items()
        }


async def _repeat(step: Callable[[], Awaitable[None]]) -> NoReturn:
    """Take a step again and again, whatever becomes of it."""
    while True:
        try:
            await step()
        except DatabaseUnavailable:
            await asyncio.sleep(_AFTER_FAILURE)
        except Exception:
            log.exception("streams_failed")
            await asyncio.sleep(_AFTER_FAILURE)
