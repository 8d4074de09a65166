"""The database goes away before any one statement of a write: 503, and all or nothing."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import httpx
import pytest
from sqlalchemy import event

import models
from api.kit.services import Services
from tests.client import PASSWORD, Client, Person, expect, expect_problem
from tests.connections import connected_to

KEY = {"Idempotency-Key": "once"}
# More statements than any of these writes needs.
MANY = 30

Write = Callable[[], Awaitable[httpx.Response]]


@pytest.fixture
async def admin(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    async with connected_to(database_url) as connection:
        yield connection


@contextmanager
def cutting_off(services: Services, admin: asyncpg.Connection, at: int) -> Iterator[None]:
    """Kill the writer's connection before its statement number `at`; COMMIT counts as one."""
    passed = 0

    def cut_off(connection: Any) -> None:
        nonlocal passed
        if passed == at:
            pid = connection.connection.driver_connection.get_server_pid()
            # Waits until it is gone, at most a second.
            connection.connection.run_async(
                lambda _: admin.execute("SELECT pg_terminate_backend($1, 1000)", pid)
            )
        passed += 1

    def before_statement(connection: Any, *_: object) -> None:
        cut_off(connection)

    writer = services.database.writer.sync_engine
    event.listen(writer, "before_cursor_execute", before_statement)
    event.listen(writer, "commit", cut_off)
    try:
        yield
    finally:
        event.remove(writer, "before_cursor_execute", before_statement)
        event.remove(writer, "commit", cut_off)


async def read_tables(admin: asyncpg.Connection) -> dict[str, list[Any]]:
    """Return every row there is."""
    return {
        table.name: sorted(
            await admin.fetch(f"SELECT * FROM {table.name}"),
            key=lambda row: str(list(row.values())),
        )
        for table in models.metadata.sorted_tables
    }


def make_writes(client: Client, person: Person, article: dict[str, Any], comment: Any) -> Any:
    """Return the writes by name. Each can be tried again until it succeeds."""
    asking = person.client
    path = f"/v1/articles/{article['id']}"
    any_version = {"If-Match": "*"}
    newcomer = {"handle": "eve", "email": "eve@example.com", "password": PASSWORD}
    text = {"body": f"Hello @{person.handle}."}
    return {
        "register": lambda: client.post("/v1/users", newcomer, headers=KEY),
        "log in": lambda: client.post(
            "/v1/sessions", {"login": person.handle, "password": PASSWORD}
        ),
        "refresh": lambda: client.post(
            "/v1/sessions/refresh", {"refresh_token": person.tokens["refresh_token"]}
        ),
        "publish": lambda: asking.post(
            "/v1/articles", {"title": "On docking", "tags": ["a", "b"]}, headers=KEY
        ),
        "change article": lambda: asking.patch(
            path, {"title": "Other", "tags": ["c"]}, headers=any_version
        ),
        "reply": lambda: asking.post(f"{path}/comments", text, headers=KEY),
        "edit": lambda: asking.patch(
            f"/v1/comments/{comment['id']}", {"body": "Changed."}, headers=any_version
        ),
        "take back": lambda: asking.delete(f"/v1/comments/{comment['id']}", headers=any_version),
        "rename": lambda: asking.patch(
            "/v1/me", {"handle": "renamed", "display_name": "Renamed"}, headers=any_version
        ),
        "change password": lambda: asking.put(
            "/v1/me/password", {"current_password": PASSWORD, "new_password": PASSWORD}
        ),
        "log out": lambda: asking.delete("/v1/sessions/current"),
    }


@pytest.mark.parametrize(
    "name",
    [
        "register",
        "log in",
        "refresh",
        "publish",
        "change article",
        "reply",
        "edit",
        "take back",
        "rename",
        "change password",
        "log out",
    ],
)
async def test_cut_off_anywhere_it_leaves_all_or_nothing(
    client: Client, services: Services, admin: asyncpg.Connection, name: str
) -> None:
    person = await client.join()
    article = await person.post_article()
    comment = await person.reply(article["id"])
    write: Write = make_writes(client, person, article, comment)[name]
    before = await read_tables(admin)
    for at in range(MANY):
        with cutting_off(services, admin, at):
            response = await write()
        if response.status_code != 503:
            break
        expect_problem(response, 503, "database_unavailable")
        assert response.headers["retry-after"] == "2"
        assert await read_tables(admin) == before, f"something is left, cut off at {at}"
    # One round for each statement and one for the commit came before.
    assert at >= 2
    assert response.status_code in (200, 201, 204), response.text
    assert await read_tables(admin) != before
    if name in ("register", "publish", "reply"):
        again = expect(await write(), 201)
        assert again == response.json()
