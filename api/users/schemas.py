"""What is asked and answered about people."""

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

from api.auth.schemas import Password
from api.kit.names import MAX_HANDLE, MIN_HANDLE, normalize_handle
from api.kit.schemas import Input, Line, Output, Time
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


class UserCreate(Input):
    """A registration."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "handle": "lee",
                    "email": "lee@example.com",
                    "password": "correct horse battery",
                    "display_name": "Lee Stevenson",
                }
            ]
        }
    )

    handle: Handle = Field(description="Letters a-z, digits, single inner _ or -.")
    email: Email
    password: Password
    display_name: DisplayName | None = Field(
        default=None, description="Any script, spaces allowed; the handle when left out."
    )


class MeUpdate(Input):
    """Changes of the own profile; what is left out stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"display_name": "Lee S."}]})

    handle: Handle | None = Field(
        default=None, description="The old one goes on leading to you, and to nobody else."
    )
    display_name: DisplayName | None = None
    avatar_url: WebAddress | None = Field(default=None, description="Null takes the picture away.")


class PasswordUpdate(Input):
    """A new password."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "current_password": "correct horse battery",
                    "new_password": "staple battery horse",
                }
            ]
        }
    )

    current_password: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    new_password: Password


class PersonRead(Output):
    """A person as named beside what they wrote."""

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
    """The own profile."""

    id: UUID
    handle: str = Field(examples=["lee"])
    display_name: str = Field(examples=["Lee Stevenson"])
    avatar_url: str | None = Field(examples=["https://example.com/lee.png"])
    role: Role
    created_at: Time
    email: str | None = Field(examples=["lee@example.com"])


class PersonList(Output):
    """People who fit a prefix."""

    data: list[PersonRead]
