"""Apps that differ from the usual one in a setting or an effect, and what they log."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import httpx
import pytest
import structlog
from asgi_lifespan import LifespanManager
from starlette.types import ASGIApp
from structlog.testing import LogCapture
from structlog.typing import EventDict

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
                yield Client(http, services=services)

    return open_one


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> list[EventDict]:
    """What the envelope and the database log, at every level, with the bound context."""
    return capture_log(monkeypatch, "api.kit.http.envelope", "api.kit.db.database")


def capture_log(monkeypatch: pytest.MonkeyPatch, *modules: str) -> list[EventDict]:
    """Return the list to which each line that these modules log is added from now on."""
    capture = LogCapture()
    log = structlog.wrap_logger(
        None,
        processors=[structlog.contextvars.merge_contextvars, capture],
        wrapper_class=structlog.make_filtering_bound_logger(0),
    )
    for module in modules:
        monkeypatch.setattr(f"{module}.log", log)
    return capture.entries
