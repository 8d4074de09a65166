"""One request, one transaction: the only place that commits."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated

import structlog
from fastapi import Depends, Request
from sqlalchemy import BigInteger, Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from api.kit.database import DatabaseUnavailable
from api.kit.events import Effect, Event
from api.kit.problems import declares
from api.kit.services import Services

log = structlog.get_logger(__name__)

_NO_EFFECT = Effect()

# One by one, since a unit of work hardly ever emits more than one.
_INSERT_EVENT = text("""
INSERT INTO events (type, article_id, version, payload, created_at)
VALUES (:type, :article_id, :version, :payload, :created_at)
""").bindparams(
    bindparam("article_id", type_=Uuid()),
    bindparam("version", type_=BigInteger()),
    bindparam("payload", type_=JSONB()),
)


class Uow:
    """A unit of work: a session, the moment at which it happens, and the events it emits."""

    def __init__(self, session: AsyncSession, services: Services) -> None:
        self.session = session
        self.services = services
        self.now: datetime = services.clock.now()
        self.events: list[Event] = []

    def emit(self, event: Event) -> None:
        """Say that something happened; what follows is in `api.effects`."""
        self.events.append(event)

    async def settle(self) -> None:
        """Do all that belongs in the transaction: changed rows, reactions, event rows."""
        await self.session.flush()
        # A reaction may emit in turn, so the list can grow while it is walked.
        for event in self.events:
            for react in self._effect_of(event).in_transaction:
                await react(self, event)
        for event in self.events:
            values = {
                "type": event.type,
                "article_id": event.article_id,
                "version": event.version,
                "payload": event.to_payload(),
                "created_at": self.now,
            }
            await self.session.execute(_INSERT_EVENT, values)

    async def follow_up(self) -> None:
        """Do what follows the commit. The worker does it again, so a failure is only logged."""
        for event in self.events:
            for react in self._effect_of(event).after_commit:
                try:
                    await react(self.services, event)
                except Exception:
                    log.exception("after_commit_failed", event_type=event.type)

    def _effect_of(self, event: Event) -> Effect:
        return self.services.effects.get(type(event), _NO_EFFECT)


@asynccontextmanager
async def unit_of_work(services: Services) -> AsyncIterator[Uow]:
    """Open a transaction; commit when the block ends well, roll everything back when it raises.

    Raises DatabaseUnavailable when PostgreSQL is away.
    """
    async with services.database.transaction() as session:
        uow = Uow(session, services)
        yield uow
        await uow.settle()
    await uow.follow_up()


def services_of(request: Request) -> Services:
    """Return the services of the process that answers this request."""
    services: Services = request.app.state.services
    return services


async def get_services(request: Request) -> Services:
    """Give a route the services. Dependencies call `services_of`: each level of them costs time."""
    return services_of(request)


@declares(DatabaseUnavailable)
async def open_uow(request: Request) -> AsyncIterator[Uow]:
    """Give a writing route its unit of work."""
    async with unit_of_work(services_of(request)) as uow:
        yield uow


@declares(DatabaseUnavailable)
async def open_read_session(request: Request) -> AsyncIterator[AsyncSession]:
    """Give a reading route its session."""
    async with services_of(request).database.read() as session:
        yield session


ServicesDep = Annotated[Services, Depends(get_services)]
# scope="function": the commit happens before the answer is sent. With FastAPI's default scope a
# failed commit would already have been answered 200.
UowDep = Annotated[Uow, Depends(open_uow, scope="function")]
ReadSession = Annotated[AsyncSession, Depends(open_read_session, scope="function")]
