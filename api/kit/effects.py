"""What follows from events: the types of the one table in `api/effects.py`."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, Protocol, TypeVar

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from api.kit.db.deliveries import MAX_TARGET_LENGTH
from api.kit.db.events import Event
from api.kit.db.unit_of_work import UnitOfWork
from api.kit.redis.client import RedisUnavailable
from api.kit.services import Services

log = structlog.get_logger(__name__)

T = TypeVar("T")
E = TypeVar("E", bound=Event)
# A consumer of all thread events can be given those of one type.
E_contra = TypeVar("E_contra", bound=Event, contravariant=True)
# A reaction that is called once in a transaction, with all events of it that name the reaction.
FinalReaction = Callable[[UnitOfWork, Sequence[Event]], Awaitable[None]]


class DeliveryFailedError(Exception):
    """Another party did not take a delivery: expected, so it is logged without a traceback.

    The message says why, without contents. The delivery is retried as after any other failure, but
    not before `retry_after`, where the other party asked for that.
    """

    def __init__(self, reason: str, *, retry_after: timedelta = timedelta()) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


# The target of a consumer that has only one.
NO_TARGET = ""


class AnyConsumer(Protocol):
    """A consumer of whatever events, as the worker sees it."""

    @property
    def name(self) -> str:
        """What its deliveries are stored under: never changed, or those that wait are stranded."""
        ...

    @property
    def concurrency(self) -> int:
        """How many runs one worker has under way at most."""
        ...

    @property
    def batch_size(self) -> int:
        """How many deliveries one run takes at most."""
        ...

    @property
    def per_target(self) -> int:
        """How many deliveries to one target a worker has under way at most."""
        ...

    @property
    def has_targets(self) -> bool:
        """Whether `list_targets` names the targets; otherwise `NO_TARGET` is the only one."""
        ...

    @property
    def timeout(self) -> float:
        """Seconds after which a run is cancelled and counts as failed."""
        ...

    async def list_targets(self, session: AsyncSession, event: Event) -> Collection[str]:
        """Return who or what an event is delivered to, read in the relay's transaction."""
        ...

    async def run(self, services: Services, deliveries: Sequence[tuple[Event, str]]) -> None:
        """Deliver events, each to its target; raises what the handler raises."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumer(Generic[E_contra]):
    """Takes each event by itself."""

    name: str
    event: type[E_contra]
    deliver: Callable[[Services, E_contra], Awaitable[None]]
    concurrency: int = 4
    timeout: float = 60.0

    batch_size = 1
    has_targets = False

    @property
    def per_target(self) -> int:
        """There is one target, so it is bounded as the whole is."""
        return self.concurrency

    async def list_targets(self, session: AsyncSession, event: Event) -> Collection[str]:  # noqa: ARG002 - part of AnyConsumer
        """Return the one target."""
        return (NO_TARGET,)

    async def run(self, services: Services, deliveries: Sequence[tuple[Event, str]]) -> None:
        """Deliver the events, one after the other."""
        for event, _ in deliveries:
            await self.deliver(services, _narrow(event, self.event))


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchConsumer(Generic[E_contra]):
    """Takes all events that are due at once, so many of one kind can be merged into one step.

    They succeed or fail, and are retried, together.
    """

    name: str
    event: type[E_contra]
    deliver: Callable[[Services, Sequence[E_contra]], Awaitable[None]]
    batch_size: int = 500
    timeout: float = 60.0

    concurrency = 1
    has_targets = False

    @property
    def per_target(self) -> int:
        """There is one target, so it is bounded as the whole is."""
        return self.batch_size

    async def list_targets(self, session: AsyncSession, event: Event) -> Collection[str]:  # noqa: ARG002 - part of AnyConsumer
        """Return the one target."""
        return (NO_TARGET,)

    async def run(self, services: Services, deliveries: Sequence[tuple[Event, str]]) -> None:
        """Deliver all events in one call."""
        await self.deliver(services, [_narrow(event, self.event) for event, _ in deliveries])


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetedConsumer(Generic[E_contra]):
    """Delivers each event to several targets, such as webhook endpoints, each by itself.

    `find_targets` only reads.
    """

    name: str
    event: type[E_contra]
    find_targets: Callable[[AsyncSession, E_contra], Awaitable[Collection[str]]]
    deliver: Callable[[Services, E_contra, str], Awaitable[None]]
    concurrency: int = 16
    per_target: int = 2
    timeout: float = 30.0

    batch_size = 1
    has_targets = True

    async def list_targets(self, session: AsyncSession, event: Event) -> Collection[str]:
        """Return who or what the event is delivered to.

        Raises ValueError for a target that no row can have: the relay stores those of all
        consumers in one statement, which must not fail because of one of them.
        """
        targets = await self.find_targets(session, _narrow(event, self.event))
        for target in targets:
            if not 0 < len(target) <= MAX_TARGET_LENGTH or "\0" in target:
                raise ValueError(
                    f"A target has 1 to {MAX_TARGET_LENGTH} characters, none of them NUL: "
                    f"{target[:50]!r}"
                )
        return targets

    async def run(self, services: Services, deliveries: Sequence[tuple[Event, str]]) -> None:
        """Deliver the events, one after the other."""
        for event, target in deliveries:
            await self.deliver(services, _narrow(event, self.event), target)


class AnyEffect(Protocol):
    """What follows from one type of event, whichever it is."""

    @property
    def event_type(self) -> type[Event]:
        """The type of event."""
        ...

    @property
    def consumers(self) -> Sequence[AnyConsumer]:
        """The consumers that the worker delivers such events to."""
        ...

    @property
    def at_end(self) -> Sequence[FinalReaction]:
        """The reactions to all events of a transaction that take part in it with this one."""
        ...

    async def run_in_transaction(self, uow: UnitOfWork, event: Event) -> None:
        """Run the reactions that commit or fail with the change."""
        ...

    async def run_after_commit(self, services: Services, event: Event) -> None:
        """Run the reactions after the commit; never raises."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect(Generic[E]):
    """What follows from an event.

    `in_transaction` commits or fails with the change. So does `at_end`, which comes last, once for
    all events of the transaction: for what takes locks in an order of its own. `after_commit` is
    tried once, before the response is sent, and only logged when it fails. `by_worker` is delivered
    at least once, in no promised order: a handler reads the present state, and doing it twice must
    change nothing.
    """

    event: type[E]
    in_transaction: tuple[Callable[[UnitOfWork, E], Awaitable[None]], ...] = ()
    at_end: tuple[FinalReaction, ...] = ()
    after_commit: tuple[Callable[[Services, E], Awaitable[None]], ...] = ()
    by_worker: tuple[Consumer[E] | BatchConsumer[E] | TargetedConsumer[E], ...] = ()

    @property
    def event_type(self) -> type[Event]:
        """The type of event."""
        return self.event

    @property
    def consumers(self) -> Sequence[AnyConsumer]:
        """The consumers that the worker delivers such events to."""
        return self.by_worker

    async def run_in_transaction(self, uow: UnitOfWork, event: Event) -> None:
        """Run the reactions that commit or fail with the change."""
        for react in self.in_transaction:
            await react(uow, _narrow(event, self.event))

    async def run_after_commit(self, services: Services, event: Event) -> None:
        """Run the reactions after the commit; a failure is logged."""
        for react in self.after_commit:
            try:
                await react(services, _narrow(event, self.event))
            except RedisUnavailable as error:
                # Expected while Redis is down: one line, and the cause is logged where it occurs.
                log.warning("after_commit_postponed", event_type=event.type, reason=str(error))
            except Exception:
                log.exception("after_commit_failed", event_type=event.type)


class EffectTable:
    """The effects of every event type."""

    def __init__(self, effects: Iterable[AnyEffect]) -> None:
        """Raise ValueError where two consumers share a name."""
        self._effects = {effect.event_type: effect for effect in effects}
        self.event_types: Mapping[str, type[Event]] = {event.type: event for event in self._effects}
        self.consumers: dict[str, AnyConsumer] = {}
        for effect in self._effects.values():
            for consumer in effect.consumers:
                if self.consumers.setdefault(consumer.name, consumer) is not consumer:
                    raise ValueError(f"two consumers are called {consumer.name}")

    def __iter__(self) -> Iterator[AnyEffect]:
        return iter(self._effects.values())

    def get_effect(self, event_type: type[Event]) -> AnyEffect:
        """Return what follows from events of a type. Raises KeyError for an unlisted one."""
        return self._effects[event_type]

    async def run_in_transaction(self, uow: UnitOfWork, event: Event) -> None:
        """Run the reactions that commit or fail with the change."""
        await self.get_effect(type(event)).run_in_transaction(uow, event)

    async def finish_transaction(self, uow: UnitOfWork, events: Sequence[Event]) -> None:
        """Run each reaction to all events of the transaction once, with those that name it."""
        due: dict[FinalReaction, list[Event]] = {}
        for event in events:
            for react in self.get_effect(type(event)).at_end:
                due.setdefault(react, []).append(event)
        for react, named in due.items():
            await react(uow, named)

    async def run_after_commit(self, services: Services, event: Event) -> None:
        """Run the reactions after the commit; never raises."""
        await self.get_effect(type(event)).run_after_commit(services, event)


def _narrow(event: Event, kind: type[T]) -> T:
    """Return the event as what it is. Raises TypeError."""
    if not isinstance(event, kind):
        raise TypeError(f"{type(event).__name__} is not a {kind.__name__}")
    return event
