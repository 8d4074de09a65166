"""What follows from events: the types of the one table in `api/effects.py`, and who runs it."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import structlog

from api.kit.db.events import Event
from api.kit.db.unit_of_work import UnitOfWork
from api.kit.redis.client import RedisUnavailable
from api.kit.services import Services

log = structlog.get_logger(__name__)

E = TypeVar("E", bound=Event)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect(Generic[E]):
    """What follows from an event.

    `in_transaction` commits or fails with the change. `after_commit` is tried once, before the
    response is sent, and only logged when it fails. `by_worker` is repeated until it succeeds, so
    doing it twice must change nothing.
    """

    event: type[E]
    in_transaction: tuple[Callable[[UnitOfWork, E], Awaitable[None]], ...] = ()
    after_commit: tuple[Callable[[Services, E], Awaitable[None]], ...] = ()
    by_worker: tuple[Callable[[Services, E], Awaitable[None]], ...] = ()


class EffectTable:
    """The effects of every event type; it runs those of a unit of work."""

    def __init__(self, effects: Iterable[Effect[Any]]) -> None:
        self._effects = {effect.event: effect for effect in effects}
        self.event_types: Mapping[str, type[Event]] = {event.type: event for event in self._effects}

    def __iter__(self) -> Iterator[Effect[Any]]:
        return iter(self._effects.values())

    def get_effect(self, event_type: type[Event]) -> Effect[Any]:
        """Return what follows from events of a type. Raises KeyError for an unlisted one."""
        return self._effects[event_type]

    async def run_in_transaction(self, uow: UnitOfWork, event: Event) -> None:
        """Run the reactions that commit or fail with the change."""
        for react in self.get_effect(type(event)).in_transaction:
            await react(uow, event)

    async def run_after_commit(self, services: Services, event: Event) -> None:
        """Run the reactions after the commit. The worker repeats them, so a failure is logged."""
        for react in self.get_effect(type(event)).after_commit:
            try:
                await react(services, event)
            except RedisUnavailable as error:
                # Expected while Redis is down: one line, and the cause is logged where it occurs.
                log.warning("after_commit_postponed", event_type=event.type, reason=str(error))
            except Exception:
                log.exception("after_commit_failed", event_type=event.type)

    async def run_by_worker(self, services: Services, event: Event) -> None:
        """Run the reactions that are repeated until they succeed; raises what they raise."""
        for react in self.get_effect(type(event)).by_worker:
            await react(services, event)
