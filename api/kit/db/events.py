"""Events: what happened, in the past tense."""

import functools
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from pydantic import TypeAdapter
from pydantic_core import to_jsonable_python


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened. Its fields are what the outbox keeps: ids, never texts.

    A field that is added later has a default: rows of the previous release lack it.
    """

    type: ClassVar[str]

    def to_payload(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        payload: dict[str, Any] = to_jsonable_python(self)
        return payload

    @classmethod
    def from_payload(cls, payload: dict[str, Any]) -> "Event":
        """Return the event that `to_payload` was given; unknown keys are of a newer release."""
        adapter = _adapter_of(cls)  # type: ignore[arg-type]  # mypy takes the instances' hash for it
        return adapter.validate_python(payload)


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadEvent(Event):
    """A change that readers of an article or of its thread can see.

    `version` is the article's version that the change made: each version has exactly one event. A
    batch operation makes one version per article, and one event that names all that it changed.
    """

    article_id: UUID
    version: int


@functools.cache
def _adapter_of(kind: type[Event]) -> TypeAdapter[Event]:
    """Return what reads an event's fields and ignores others; to make one takes a millisecond."""
    return TypeAdapter(kind)
