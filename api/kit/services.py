"""What a process has: made once by the composition root, and given to whatever needs it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from api.kit.cache.versioned import VersionedCache
from api.kit.clock import Clock
from api.kit.db.database import Database
from api.kit.db.epoch import EpochReader
from api.kit.db.events import Event
from api.kit.db.lookups import Lookups
from api.kit.db.prepared import PreparedValues
from api.kit.db.unit_of_work import UnitOfWork
from api.kit.db.write_queues import WriteQueues
from api.kit.http.outgoing import OutgoingClient
from api.kit.problems import Problem
from api.kit.redis.client import GuardedRedis
from api.kit.redis.rate_limiter import Limiter
from api.kit.redis.wakeups import WakeUps
from api.kit.settings import Settings
from api.kit.signing import Signer


class Reactions(Protocol):
    """What follows from events: `api.kit.effects.EffectTable`, as its callers see it."""

    @property
    def event_types(self) -> Mapping[str, type[Event]]:
        """The classes of all events, by their type."""
        ...

    async def run_in_transaction(self, uow: UnitOfWork, event: Event) -> None:
        """Run the reactions that commit or fail with the change."""
        ...

    async def finish_transaction(self, uow: UnitOfWork, events: Sequence[Event]) -> None:
        """Run the reactions to all events of the transaction, after those to single ones."""
        ...

    async def run_after_commit(self, services: "Services", event: Event) -> None:
        """Run the reactions after the commit; never raises."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The engines and shared machinery of one process."""

    settings: Settings
    clock: Clock
    signer: Signer
    database: Database
    write_queues: WriteQueues
    epoch: EpochReader
    redis: GuardedRedis
    limiter: Limiter
    cache: VersionedCache
    lookups: Lookups
    prepared: PreparedValues
    reactions: Reactions
    wakeups: WakeUps
    # For requests to addresses that settings or users name.
    outgoing: OutgoingClient

    @asynccontextmanager
    async def unit_of_work(self) -> AsyncIterator[UnitOfWork]:
        """Open a transaction; commit when the block ends well, roll back when it raises.

        A Problem rolls back, too, unless the block called `keep_changes`; it is raised again after
        the commit. Raises DatabaseUnavailable.
        """
        refusal: Problem | None = None
        async with self.database.write_session() as session:
            uow = UnitOfWork(session, self.clock.now())
            try:
                yield uow
            except Problem as problem:
                if not uow.keeps_changes:
                    raise
                refusal = problem
            reactions = self.reactions
            await uow.flush_events(reactions.run_in_transaction, reactions.finish_transaction)
        if uow.events:
            self.wakeups.send()
        for event in uow.events:
            await self.reactions.run_after_commit(self, event)
        if refusal is not None:
            raise refusal

    async def close(self) -> None:
        """Close every connection."""
        await self.epoch.close()
        await self.wakeups.close()
        await self.redis.close()
        await self.database.close()
