"""What requests and responses share: types with bounds, never inheritance between the two."""

import unicodedata
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)

from api.kit.text.names import clean_line_errors

_FIRST_YEAR, _LAST_YEAR = 2000, 2199
_MAX_TIME_LENGTH = 40


class Input(BaseModel):
    """A request body: unknown fields are refused, so that a typo is not silently ignored."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


def _allow_additions(schema: dict[str, Any]) -> None:
    schema.pop("additionalProperties", None)


class Output(BaseModel):
    """A response body: every field is always there, so no field has a default.

    Our own code must not put in what is not declared. Clients are told nothing of the kind: they
    have to bear the fields that later releases add.
    """

    model_config = ConfigDict(
        from_attributes=True, extra="forbid", json_schema_extra=_allow_additions
    )


def _refuse_controls(value: str) -> str:
    """Refuse control characters but tab and line ends; PostgreSQL cannot store NUL at all."""
    for character in value:
        if character < " " and character not in "\t\n\r":
            raise ValueError("Remove the control characters.")
    return value


def _refuse_unclean_line(value: str) -> str:
    fault = clean_line_errors(value)
    if fault is not None:
        raise ValueError(fault)
    return value


def _compose(value: str) -> str:
    return unicodedata.normalize("NFC", value)


def _refuse_numbers(value: Any) -> Any:
    """Refuse what Pydantic would take for seconds since 1970."""
    if not isinstance(value, str) or len(value) > _MAX_TIME_LENGTH:
        raise ValueError("Send a time, such as 2026-04-01T12:00:00Z.")
    return value


def _refuse_unbounded(value: datetime) -> datetime:
    if value.utcoffset() is None:
        raise ValueError("Add the offset from UTC, such as Z.")
    if not _FIRST_YEAR <= value.year <= _LAST_YEAR:
        raise ValueError(f"Send a time in the years {_FIRST_YEAR} to {_LAST_YEAR}.")
    return value


def _to_utc(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def show_values(kind: type[StrEnum]) -> WithJsonSchema:
    """Return the schema of an enum in a response, for one that requests have, too.

    A request takes the values of a release; a response can have values of a later one.
    """
    return WithJsonSchema({"type": "string", "enum": [value.value for value in kind]})


# Text of many lines, as people write it.
Prose = Annotated[str, AfterValidator(_refuse_controls)]
# Text of one line that others see as a name or a title: no control, bidirectional or invisible
# characters, composed, so that one name has one spelling.
Line = Annotated[
    str,
    StringConstraints(strip_whitespace=True),
    AfterValidator(_refuse_unclean_line),
    AfterValidator(_compose),
]
# A point in time that clients send: with its offset, and in years that every engine can store.
Moment = Annotated[
    datetime,
    BeforeValidator(_refuse_numbers),
    AfterValidator(_refuse_unbounded),
    WithJsonSchema({"type": "string", "format": "date-time", "maxLength": _MAX_TIME_LENGTH}),
]
Time = Annotated[
    datetime,
    PlainSerializer(_to_utc, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="serialization"),
]
