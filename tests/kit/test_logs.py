"""Logs: one event a line in either format, and nothing in them that people wrote."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Whatever a client sends carries one of these.
SECRETS = ("geheim-password", "geheim-body", "geheim-title", "geheim-name", "geheim@example.com")

# The shipped app, in which each way to fail fails with something secret at hand.
SCRIPT = """
import asyncio, dataclasses, logging, sys
import httpx
from pydantic import BaseModel
from sqlalchemy import text
from api.cli.environment import load_settings
from api.comments.events import CommentCreated
from tests.effects import replace_effect
from api.kit.effects import Effect
from api.main import create_app, make_services

class Note(BaseModel):
    number: int

def fail_by_value(uow, event):
    password = "geheim-password"
    raise RuntimeError("first line\\nsecond line with geheim-body")

async def fail_in_postgres(uow, event):
    await uow.session.execute(text(
        "INSERT INTO comments (id, article_id, ancestor_ids, depth, body, html, state, version, "
        "created_at, listed) SELECT gen_random_uuid(), article_id, '{}', depth, body, html, "
        "'nonsense', 1, now(), true FROM comments"))

async def fail_in_pydantic(uow, event):
    Note(number="geheim-body")

failures = iter((fail_by_value, fail_in_postgres, fail_in_pydantic))

async def react(uow, event):
    result = next(failures)(uow, event)
    if result is not None:
        await result

async def fail_later(services, event):
    text = "geheim-body"
    raise RuntimeError("after the commit")

async def main():
    services = make_services(load_settings())
    effect = Effect(event=CommentCreated, in_transaction=(react,), after_commit=(fail_later,))
    services = dataclasses.replace(services, reactions=replace_effect(effect))
    transport = httpx.ASGITransport(create_app(services), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        person = {"handle": "geheim", "email": "geheim@example.com", "password": "geheim-password",
                  "display_name": "geheim-name"}
        await http.post("/v1/users", json=person)
        await http.post("/v1/users", json={**person, "surplus": 1})
        await http.post("/v1/sessions", json={"login": "geheim", "password": "geheim-password!"})
        tokens = (await http.post(
            "/v1/sessions", json={"login": "geheim", "password": "geheim-password"})).json()
        print(tokens["access_token"], tokens["refresh_token"])
        await http.post("/v1/sessions/refresh", json={"refresh_token": tokens["refresh_token"]})
        http.headers["Authorization"] = f"Bearer {tokens['access_token']}"
        article = (await http.post(
            "/v1/articles", json={"title": "geheim-title", "body": "geheim-body"})).json()
        for _ in range(3):
            answer = await http.post(
                f"/v1/articles/{article['id']}/comments", json={"body": "geheim-body"})
            print(answer.status_code)
    try:
        body = "geheim-body"
        raise ValueError("of a library")
    except ValueError:
        logging.getLogger("library").exception("library_failed")
    await services.close()

asyncio.run(main())
"""


@pytest.fixture(scope="module", params=["json", "console"])
def output(
    request: pytest.FixtureRequest, database_url: str, redis_url: str
) -> tuple[str, str, list[str]]:
    """The format, what was logged in it, and the tokens that were given out."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=ROOT,
        env={
            **{k: v for k, v in os.environ.items() if not k.startswith("PALAVER_")},
            "PALAVER_DATABASE_URL": database_url,
            "PALAVER_REDIS_URL": redis_url,
            "PALAVER_SECRET_KEY": "a secret for the tests, long enough",
            "PALAVER_RATE_LIMITS_ENABLED": "false",
            "PALAVER_LOG_FORMAT": request.param,
            "PALAVER_LOG_LEVEL": "debug",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    *tokens, first, second, third = done.stdout.split()
    assert (first, second, third) == ("500", "500", "500")
    return request.param, done.stderr, tokens


def test_the_defects_are_logged_with_where_they_were_found(
    output: tuple[str, str, list[str]],
) -> None:
    _, log, _ = output
    assert log.count("request_failed") == 3
    for what in (
        "RuntimeError: first line",
        "CheckViolationError",
        "ValidationError: 1 validation error for Note",
        "in fail_by_value",
        "api/kit/db/unit_of_work.py",
        "library_failed",
        "ValueError: of a library",
    ):
        assert what in log, what


def test_nothing_that_people_sent_is_in_the_log(output: tuple[str, str, list[str]]) -> None:
    _, log, tokens = output
    assert len(tokens) == 2
    for secret in (*SECRETS, *tokens, *(token.rpartition(".")[2] for token in tokens)):
        assert secret not in log, secret


def test_each_event_is_one_line(output: tuple[str, str, list[str]]) -> None:
    form, log, _ = output
    if form == "json":
        lines = [json.loads(line) for line in log.splitlines()]
        assert all({"event", "level", "timestamp"} <= set(line) for line in lines)
        failed = [line for line in lines if line["event"] == "request_failed"]
        requests = [line["request_id"] for line in lines if line["event"] == "request"]
        assert all(line["request_id"] in requests for line in failed)
        assert all(line["level"] == "error" for line in failed)
    else:
        assert "\x1b[" not in log  # colours are for terminals
        assert sum("] request " in line for line in log.splitlines()) == 9
