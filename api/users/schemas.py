"""Requests and responses about people."""

from typing import Annotated
from uuid import UUID

from pydantic import (
    AfterValidator,
    ConfigDict,
    EmailStr,
    Field,
    HttpUrl,
    StringConstraints,
    TypeAdapter,
)

from api.kit.http.schemas import Input, Line, Output, Time
from api.users.handles import MAX_HANDLE, MIN_HANDLE, normalize_handle
from models import Role

_url = TypeAdapter(HttpUrl)


def _require_web_address(value: str) -> str:
    _url.validate_python(value)
    return value


Handle = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        min_length=MIN_HANDLE,
        max_length=MAX_HANDLE,
        pattern=r"^[A-Za-z0-9]+(?:[_-][A-Za-z0-9]+)*$",
    ),
    AfterValidator(normalize_handle),
]
DisplayName = Annotated[Line, StringConstraints(min_length=1, max_length=64)]
Email = Annotated[EmailStr, StringConstraints(max_length=254)]
WebAddress = Annotated[
    str,
    StringConstraints(min_length=1, max_length=2048, pattern=r"^https?://[\x21-\x7e]+$"),
    AfterValidator(_require_web_address),
]


class MeUpdate(Input):
    """Changes to your profile. Fields that are left out stay as they are."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"display_name": "Lee S."}]})

    handle: Handle | None = Field(
        default=None,
        description="The former handle still leads to you, and only to you.",
    )
    display_name: DisplayName | None = None
    avatar_url: WebAddress | None = Field(default=None, description="Null removes the picture.")


class PersonRead(Output):
    """A person, as shown beside their texts."""

    id: UUID
    handle: str = Field(examples=["lee"])
    display_name: str = Field(examples=["Lee Stevenson"])
    avatar_url: str | None = Field(examples=["https://example.com/lee.png"])


class UserRead(Output):
    """A person's public profile."""

    id: UUID
    handle: str = Field(examples=["lee"])
    display_name: str = Field(examples=["Lee Stevenson"])
    avatar_url: str | None = Field(examples=["https://example.com/lee.png"])
    role: Role
    created_at: Time


class MeRead(Output):
    """Your profile."""

    id: UUID
    handle: str = Field(examples=["lee"])
    display_name: str = Field(examples=["Lee Stevenson"])
    avatar_url: str | None = Field(examples=["https://example.com/lee.png"])
    role: Role
    created_at: Time
    email: str | None = Field(examples=["lee@example.com"])


class PersonList(Output):
    """People who match a prefix."""

    data: list[PersonRead]
