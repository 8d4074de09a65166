"""What the logs say about passwords and tokens: nothing, also when something breaks."""

import io
import logging
import sys
from collections.abc import Iterator

import pytest
import structlog

from api.accounts import queries
from api.kit.logs import configure_logging
from api.kit.services import Services
from api.kit.settings import Settings
from tests.client import PASSWORD, Client, expect, expect_problem


@pytest.fixture(params=["json", "console"])
def logged(
    request: pytest.FixtureRequest, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[io.StringIO]:
    """Log as the service does, at the level that says most, into memory."""
    output = io.StringIO()
    structlog_before, handlers_before = structlog.get_config(), logging.root.handlers[:]
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", output)
        update = {"log_format": request.param, "log_level": "debug"}
        configure_logging(settings.model_copy(update=update))
    # A logger keeps the configuration that it was first used under.
    for name, module in list(sys.modules.items()):
        if name.startswith("api.") and hasattr(module, "log"):
            monkeypatch.setattr(module, "log", structlog.get_logger(name))
    yield output
    structlog.configure(**structlog_before)
    logging.root.handlers[:] = handlers_before


async def test_no_password_or_token_is_logged(
    client: Client, services: Services, logged: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    max_ = await client.join("max", email="private@example.com")
    login = {"login": "private@example.com", "password": PASSWORD}
    expect(await client.post("/v1/sessions", login), 201)
    wrong = {"login": "private@example.com", "password": "mistyped password"}
    expect_problem(await client.post("/v1/sessions", wrong), 401, "invalid_credentials")
    malformed = await client.post("/v1/users", {"password": PASSWORD, "more": PASSWORD})
    expect_problem(malformed, 422, "validation_failed")
    refresh = {"refresh_token": max_.tokens["refresh_token"]}
    fresh = expect(await client.post("/v1/sessions/refresh", refresh), 201)
    expect(await max_.client.get("/v1/me"), 200)
    changed = {"current_password": PASSWORD, "new_password": "another good password"}
    expect(await max_.client.put("/v1/me/password", changed), 204)

    async def fail(*_: object) -> None:
        raise RuntimeError("a defect of ours")

    # A traceback goes through every function that holds the body and the token.
    monkeypatch.setattr(queries, "hold_password", fail)
    monkeypatch.setattr(queries, "lock_session", fail)
    login["password"] = "another good password"
    for path, body in (
        ("/v1/sessions", login),
        ("/v1/sessions/refresh", {"refresh_token": fresh["refresh_token"]}),
    ):
        expect_problem(await client.post(path, body), 500, "internal_error")

    lines = logged.getvalue()
    assert lines.count("a defect of ours") >= 2
    assert lines.count("/v1/sessions/refresh") >= 2
    for secret in (
        *(PASSWORD, "mistyped password", "another good password", "private@example.com"),
        *(max_.tokens["access_token"], max_.tokens["refresh_token"]),
        *(fresh["access_token"], fresh["refresh_token"]),
        *("$argon2id$", "Bearer ", "pal_"),
    ):
        assert secret not in lines, secret
