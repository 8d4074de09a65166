"""Apps that differ from the usual one in a setting or an effect."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import httpx
import pytest
from asgi_lifespan import LifespanManager
from starlette.types import ASGIApp

from api.kit.services import Services
from api.main import create_app
from tests.client import Client

OpenClient = Callable[..., AbstractAsyncContextManager[Client]]


@pytest.fixture
def open_client() -> OpenClient:
    """A client of an app made of the given services; `around` wraps the app."""

    @asynccontextmanager
    async def open_one(
        services: Services, *, around: Callable[[ASGIApp], ASGIApp] = lambda app: app
    ) -> AsyncIterator[Client]:
        app = create_app(services)
        async with LifespanManager(app):
            transport = httpx.ASGITransport(around(app), raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
                yield Client(http)

    return open_one
