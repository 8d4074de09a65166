"""An administrator with webhooks, and the servers that receive messages."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from typing import Any

import pytest
from standardwebhooks import Webhook

from api.kit.settings import Settings
from models import WebhookEventType
from tests.client import Client, Person, expect
from tests.servers import OtherServer, running_server

EVERY_TYPE = [kind.value for kind in WebhookEventType]


class Receiver:
    """A server that receives messages, and its webhook."""

    def __init__(self, server: OtherServer) -> None:
        self.server = server
        self.server.respond("ok")
        self.webhook: dict[str, Any] = {}

    @property
    def path(self) -> str:
        return f"/v1/webhooks/{self.webhook['id']}"

    @property
    def ids(self) -> list[str]:
        """The ids of the messages that came, in their order."""
        return [headers["webhook-id"] for _, headers, _ in self.server.requests]

    @property
    def types(self) -> list[str]:
        return [json.loads(body)["type"] for _, _, body in self.server.requests]

    def read_last(self) -> Any:
        """Return the last message, as a receiver reads it: verified."""
        _, headers, body = self.server.requests[-1]
        return Webhook(self.webhook["secret"]).verify(body, headers)


ConnectReceiver = Callable[..., Awaitable[Receiver]]


@pytest.fixture
def settings(settings: Settings, request: pytest.FixtureRequest) -> Settings:
    """The receivers are on this machine."""
    changes = {"outgoing_allow_private": True, **getattr(request, "param", {})}
    return settings.model_copy(update=changes)


@pytest.fixture
async def admin(make_staff: Callable[[str], Awaitable[Person]]) -> Client:
    return (await make_staff("admin")).client


@pytest.fixture
async def connect_receiver(admin: Client) -> AsyncIterator[ConnectReceiver]:
    """Return how to start a receiver with a webhook."""
    async with AsyncExitStack() as stack:

        async def connect(**fields: Any) -> Receiver:
            receiver = Receiver(await stack.enter_async_context(running_server()))
            body = {"url": receiver.server.url, "event_types": EVERY_TYPE, **fields}
            receiver.webhook = expect(await admin.post("/v1/webhooks", body), 201)
            return receiver

        yield connect


async def list_deliveries(admin: Client, receiver: Receiver) -> list[dict[str, Any]]:
    """Return the log of a webhook, the oldest attempt first."""
    found: Mapping[str, Any] = expect(await admin.get(f"{receiver.path}/deliveries"), 200)
    return list(reversed(found["data"]))
