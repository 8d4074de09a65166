"""Requests and responses about Web Push."""

from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

from api.kit.http.schemas import Input, Output, Time
from api.push.keys import parse_public_key, parse_secret
from api.users.schemas import WebAddress

_ENDPOINT = "https://updates.push.services.mozilla.com/wpush/v2/gAAAAABm..."
_PUBLIC_KEY = (
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
)


def _require_public_key(value: str) -> str:
    try:
        parse_public_key(value)
    except ValueError as error:
        raise ValueError("Send the key as the browser gave it.") from error
    return value


def _require_secret(value: str) -> str:
    try:
        parse_secret(value)
    except ValueError as error:
        raise ValueError("Send the secret as the browser gave it.") from error
    return value


PublicKey = Annotated[
    str, StringConstraints(min_length=87, max_length=88), AfterValidator(_require_public_key)
]
Secret = Annotated[
    str, StringConstraints(min_length=22, max_length=24), AfterValidator(_require_secret)
]


class PushKeyRead(Output):
    """The key that a browser needs to subscribe."""

    public_key: str = Field(
        description="An uncompressed point of P-256 in Base64 for URLs: the applicationServerKey.",
        examples=[_PUBLIC_KEY],
    )


class PushKeys(Input):
    """The keys of a subscription, in Base64 for URLs."""

    p256dh: PublicKey
    auth: Secret


class PushSubscriptionCreate(Input):
    """A subscription, as the browser's `PushSubscription.toJSON()` has it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "endpoint": _ENDPOINT,
                    "keys": {"p256dh": _PUBLIC_KEY, "auth": "BTBZMqHH6r4Tts7J_aSIgg"},
                }
            ]
        }
    )

    endpoint: WebAddress
    keys: PushKeys


class PushSubscriptionRead(Output):
    """A browser that a person is notified in."""

    id: UUID
    endpoint: str = Field(examples=[_ENDPOINT])
    created_at: Time
    is_current: bool = Field(description="Whether it was made in the session that asks.")


class PushSubscriptionList(Output):
    """The browsers that a person is notified in."""

    data: list[PushSubscriptionRead]
