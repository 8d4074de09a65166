"""The epoch of the database, which is part of every cache key and entity tag.

An article's version and a resource's revision name one state of one database only. After a restore
from a backup they have gone back and count up again with other contents; then `palaver cache reset`
gives the database another epoch, and nothing that was made under the old one matches any more.

Every process reads the epoch again in the background while it is used, and uses what it read for
at most VALID seconds. A new epoch is settled only when that time has passed: until then no process
reads or stores anything in the cache under it, since another may still announce its writes under
the old one.
"""

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import DateTime, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from api.kit.db.database import Database
from models import DatabaseEpoch

# Seconds. After REFRESH the epoch is read again in the background; after VALID nothing goes on
# before it has been.
REFRESH = 5
VALID = 30
# Seconds from a reset until the new epoch is used for caching: VALID, and time to commit.
SETTLE = 40
# Seconds that a read gets to end when the process stops.
CLOSE = 1


@dataclass(frozen=True, slots=True)
class Epoch:
    """The epoch's text, and whether pages may be cached under it."""

    value: str
    is_settled: bool


class EpochReader:
    """What this process knows of the database's epoch; for one event loop."""

    def __init__(self, database: Database, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock  # seconds
        self._epoch: Epoch | None = None
        self._read_at = -float("inf")
        self._refresh_at = -float("inf")
        self._refreshing: asyncio.Task[None] | None = None

    def find_current(self) -> Epoch | None:
        """Return the epoch unless too long ago it was read; costs no round trip."""
        now = self._clock()
        if now >= self._refresh_at and self._refreshing is None:
            self._start_refresh(now)
        return self._epoch if now - self._read_at < VALID else None

    async def get(self) -> Epoch:
        """Return the epoch, read from the database where this process has to.

        Raises DatabaseUnavailable.
        """
        current = self.find_current()
        while current is None:
            # Shielded: others wait for the same statement.
            await asyncio.shield(self._refreshing or self._start_refresh(self._clock()))
            current = self.find_current()
        return current

    async def close(self) -> None:
        """Let a read that is under way end, or end it after a second.

        Cancelled at once it could leave a connection open that was just being made.
        """
        if self._refreshing is not None:
            refreshing = self._refreshing
            await asyncio.wait([refreshing], timeout=CLOSE)
            refreshing.cancel()
            await asyncio.gather(refreshing, return_exceptions=True)

    def _start_refresh(self, now: float) -> "asyncio.Task[None]":
        self._refresh_at = now + REFRESH
        self._refreshing = asyncio.create_task(self._refresh())
        self._refreshing.add_done_callback(self._note_refreshed)
        return self._refreshing

    def _note_refreshed(self, task: "asyncio.Task[None]") -> None:
        self._refreshing = None
        if not task.cancelled():
            # Whoever waits gets the error. Else it is logged, and the next refresh tries again.
            task.exception()

    async def _refresh(self) -> None:
        # What was true at any moment after this one is not older than it.
        began = self._clock()
        async with self._database.read_connection() as connection:
            row = (await connection.execute(_READ)).one()
        self._epoch, self._read_at = Epoch(*row), began


async def reset_epoch(database: Database) -> None:
    """Give the database a new epoch. Raises DatabaseUnavailable."""
    now = func.clock_timestamp(type_=DateTime(timezone=True))
    values = {"epoch": secrets.token_hex(8), "settled_at": now + timedelta(seconds=SETTLE)}
    write = insert(DatabaseEpoch).values(id=1, **values)
    async with database.write_session() as session:
        await session.execute(write.on_conflict_do_update(index_elements=["id"], set_=values))


_READ = select(col(DatabaseEpoch.epoch), col(DatabaseEpoch.settled_at) <= func.now())
