"""What a failure of PostgreSQL means: away for now, or a defect that is not hidden."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from structlog.typing import EventDict

from api.kit.db import database as kit
from api.kit.db.database import (
    Database,
    DatabaseUnavailable,
    map_integrity_errors,
    sqlstate_of,
    to_asyncpg,
)
from api.kit.problems import NotFound, Problem
from tests.connections import connect_arguments


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    one = Database(database_url, pool_size=2)
    yield one
    await one.close()


async def run(database: Database, *statements: str) -> object:
    async with database.write_session() as session:
        for statement in statements:
            result = await session.execute(text(statement))
        return result.scalar() if result.returns_rows else None


async def read_once(database: Database) -> None:
    async with database.read_session() as session:
        await session.execute(text("SELECT 1"))


async def fail_with(database: Database, error: type[BaseException]) -> None:
    async with database.write_session() as session:
        await session.execute(text("SELECT 1"))
        raise error


async def violate(database: Database, constraint: str, problems: dict[str, type[Problem]]) -> None:
    statement = f"DO $$ BEGIN RAISE unique_violation USING CONSTRAINT = '{constraint}'; END $$"
    async with database.write_session() as session:
        with map_integrity_errors(problems):
            await session.execute(text(statement))


def elsewhere(url: str, folder: Path) -> dict[str, str]:
    """Return URLs at which no database can be had, each for another reason."""
    here = make_url(url)
    return {
        "nobody listens": "postgresql://u@127.0.0.1:1/x",
        "no such socket": f"postgresql://u@/x?host={folder}&port=5432",
        "no such database": here.set(database="nothing").render_as_string(hide_password=False),
        "no such user": here.set(username="nobody").render_as_string(hide_password=False),
    }


async def test_a_database_that_cannot_be_had_is_away(
    database_url: str, tmp_path: Path, lines: list[EventDict]
) -> None:
    for reason, url in elsewhere(database_url, tmp_path).items():
        one = Database(url, pool_size=1)
        with pytest.raises(DatabaseUnavailable):
            await read_once(one)
        with pytest.raises(DatabaseUnavailable):
            await run(one, "SELECT 1")
        assert [line["event"] for line in lines] == ["database_away"] * 2, reason
        assert lines[0]["reason"], reason
        lines.clear()
        await one.close()


@pytest.mark.parametrize(
    "statements",
    [
        ("SELECT pg_terminate_backend(pg_backend_pid())",),
        ("SELECT 1", "SELECT pg_terminate_backend(pg_backend_pid())"),
        ("SET LOCAL statement_timeout = '5ms'", "SELECT pg_sleep(5)"),
        ("DO $$ BEGIN RAISE SQLSTATE '57P01'; END $$",),
        ("DO $$ BEGIN RAISE SQLSTATE '57P03'; END $$",),
        ("DO $$ BEGIN RAISE SQLSTATE '53300'; END $$",),
        ("DO $$ BEGIN RAISE SQLSTATE '40P01'; END $$",),
        ("DO $$ BEGIN RAISE SQLSTATE '40001'; END $$",),
        ("DO $$ BEGIN RAISE SQLSTATE '08006'; END $$",),
    ],
)
async def test_what_passes_is_no_defect_and_the_next_request_is_well(
    database: Database, statements: tuple[str, ...]
) -> None:
    for _ in range(2):
        with pytest.raises(DatabaseUnavailable):
            await run(database, *statements)
    assert await run(database, "SELECT 1") == 1


async def test_a_lock_that_is_not_had_in_time_is_no_defect(database: Database) -> None:
    async with database.write_session() as holder:
        await holder.execute(text("SELECT pg_advisory_xact_lock(1)"))
        with pytest.raises(DatabaseUnavailable):
            await run(database, "SET LOCAL lock_timeout = '5ms'", "SELECT pg_advisory_xact_lock(1)")


async def test_who_waits_too_long_for_a_connection_is_told_to_come_back(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kit, "POOL_TIMEOUT", 0.05)
    one = Database(database_url, pool_size=1)
    async with one.write_session() as holder:
        await holder.execute(text("SELECT 1"))
        with pytest.raises(DatabaseUnavailable):
            await run(one, "SELECT 1")
        await read_once(one)  # readers have a pool of their own
    assert await run(one, "SELECT 1") == 1
    await one.close()


async def test_a_server_that_is_silent_is_given_up(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kit, "COMMAND_TIMEOUT", 0.1)
    one = Database(database_url, pool_size=1)
    with pytest.raises(DatabaseUnavailable):
        await run(one, "SELECT pg_sleep(5)")
    assert await run(one, "SELECT 1") == 1
    await one.close()


@pytest.mark.parametrize(
    ("statement", "sqlstate"),
    [
        ("SELEC 1", "42601"),
        ("SELECT * FROM nothing", "42P01"),
        ("SELECT 1 / 0", "22012"),
        ("INSERT INTO users DEFAULT VALUES", "23502"),
    ],
)
async def test_a_defect_comes_through_as_it_is(
    database: Database, statement: str, sqlstate: str
) -> None:
    with pytest.raises(DBAPIError) as error:
        await run(database, statement)
    assert sqlstate_of(error.value) == sqlstate
    assert await run(database, "SELECT 1") == 1


async def test_a_value_of_the_wrong_type_is_a_defect_too(database: Database) -> None:
    with pytest.raises(DBAPIError) as error:
        async with database.write_session() as session:
            await session.execute(text("SELECT CAST(:n AS int)"), {"n": "none"})
    assert sqlstate_of(error.value) == "22000"


async def test_an_exception_of_the_route_comes_through_as_it_is(database: Database) -> None:
    for error in (NotFound, ValueError, asyncio.CancelledError):
        with pytest.raises(error):
            await fail_with(database, error)


async def test_an_error_names_no_value_of_its_statement(database: Database) -> None:
    with pytest.raises(DBAPIError) as error:
        async with database.write_session() as session:
            await session.execute(text("SELECT :secret FROM nothing"), {"secret": "geheim"})
    assert "geheim" not in str(error.value)


async def test_a_violated_constraint_becomes_its_problem(database: Database) -> None:
    with pytest.raises(NotFound):
        await violate(database, "uq_this", {"uq_this": NotFound})
    with pytest.raises(IntegrityError):
        await violate(database, "uq_this", {"uq_that": NotFound})


def test_any_way_to_write_the_url_leads_to_asyncpg() -> None:
    for scheme in ("postgresql", "postgres", "postgresql+asyncpg", "postgresql+psycopg"):
        url = to_asyncpg(f"{scheme}://u:p%40ss@h:5433/x?sslmode=require&application_name=a")
        assert url.drivername == "postgresql+asyncpg"
        assert (url.password, url.host, url.port, url.database) == ("p@ss", "h", 5433, "x")
        assert dict(url.query) == {"ssl": "require", "application_name": "a"}
    plain = "postgresql+asyncpg://u@/x?host=%2Frun%2Fpostgresql&port=5432"
    assert to_asyncpg(plain).render_as_string() == plain


async def test_connections_that_the_server_closed_are_replaced_unnoticed(
    database: Database, database_url: str
) -> None:
    await asyncio.gather(*(run(database, "SELECT pg_sleep(0.02)") for _ in range(2)))
    await read_once(database)
    admin = await asyncpg.connect(**connect_arguments(database_url))
    await admin.execute(
        "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity "
        "WHERE datname = current_database() AND application_name = 'palaver'"
    )
    await admin.close()
    await asyncio.sleep(0.05)  # for the event loop to hear of it
    assert await asyncio.gather(*(run(database, "SELECT 1") for _ in range(4))) == [1] * 4
    await read_once(database)
