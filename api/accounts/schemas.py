"""Requests and responses about accounts and sessions."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints

from api.auth.tokens import MAX_REFRESH_LENGTH
from api.kit.http.schemas import Input, Output, Time
from api.users.schemas import DisplayName, Email, Handle

# Long enough to resist guessing; short enough that hashing it is not a weapon.
Password = Annotated[str, StringConstraints(min_length=8, max_length=128)]


class UserCreate(Input):
    """A new account."""

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

    handle: Handle = Field(description="Letters a to z and digits, single - or _ between them.")
    email: Email
    password: Password
    display_name: DisplayName | None = Field(
        default=None, description="Any script, spaces allowed. By default the handle."
    )


class SessionCreate(Input):
    """Credentials to log in with."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"login": "max", "password": "correct horse battery"}]}
    )

    # Without control characters: PostgreSQL cannot even compare NUL.
    login: Annotated[
        str, StringConstraints(min_length=1, max_length=254, pattern=r"^[^\x00-\x1f\x7f]+$")
    ] = Field(description="The handle or the e-mail address, in upper or lower case.")
    password: Annotated[str, StringConstraints(min_length=1, max_length=128)]


class SessionRefresh(Input):
    """A refresh token to exchange."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"refresh_token": "pal_rt_AZjyxW96..."}]}
    )

    refresh_token: Annotated[str, StringConstraints(min_length=1, max_length=MAX_REFRESH_LENGTH)]


class TokensRead(Output):
    """A pair of tokens. Each refresh gives a new pair and uses up the old refresh token."""

    access_token: str = Field(
        description="Opaque; send it as `Authorization: Bearer ...`.",
        examples=["pal_at_AZjyxW96..."],
    )
    token_type: Literal["Bearer"]
    expires_in: int = Field(description="Seconds until the access token expires.", examples=[600])
    refresh_token: str = Field(examples=["pal_rt_AZjyxW96..."])


class SessionRead(Output):
    """A session, as its owner sees it."""

    id: UUID
    user_agent: str | None = Field(examples=["Mozilla/5.0"])
    created_at: Time
    last_used_at: Time
    expires_at: Time
    is_current: bool


class SessionList(Output):
    """The active sessions, at most the newest 100."""

    data: list[SessionRead]


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
