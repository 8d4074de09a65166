"""Events: what happened, in the past tense, and what follows from each."""

import dataclasses
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from pydantic import TypeAdapter

if TYPE_CHECKING:
    from api.kit.services import Services
    from api.kit.uow import Uow


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened. Its fields are what the outbox keeps: ids, never texts."""

    type: ClassVar[str]

    article_id: UUID | None = None
    # The article's version that this change made, where a reader of the thread could see it.
    version: int | None = None

    def to_payload(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        payload: dict[str, Any] = TypeAdapter(type(self)).dump_python(self, mode="json")
        return payload

    @classmethod
    def from_payload(cls, payload: dict[str, Any]) -> "Event":
        """Return the event that `to_payload` was given; unknown keys are of a newer release."""
        known = {field.name for field in dataclasses.fields(cls)}
        return TypeAdapter(cls).validate_python(
            {name: value for name, value in payload.items() if name in known}
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What follows from an event.

    `in_transaction` commits or fails with the change. `after_commit` is tried once, before the
    answer is sent, and only logged when it fails. `by_worker` is repeated until it succeeds, so it
    must bear being done twice.
    """

    in_transaction: tuple[Callable[["Uow", Any], Awaitable[None]], ...] = ()
    after_commit: tuple[Callable[["Services", Any], Awaitable[None]], ...] = ()
    by_worker: tuple[Callable[["Services", Any], Awaitable[None]], ...] = ()


Effects = Mapping[type[Event], Effect]
