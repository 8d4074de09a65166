"""Migrations: what they make is what the models say, and they can be undone."""

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable
from importlib.resources import files
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, event
from sqlalchemy.exc import DBAPIError

from api.kit.db.database import to_asyncpg
from api.kit.db.migrations import alembic_config, find_head
from tests.architecture.source import ROOT
from tests.conftest import DATABASE_VARIABLE
from tests.connections import connected_to
from tests.migrating import make_database

# Everything that a migration can make, as PostgreSQL itself would write it.
CATALOGUE = """
SELECT 'column', concat_ws(' ', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
       a.attnotnull, a.attidentity, a.attgenerated, pg_get_expr(d.adbin, d.adrelid))
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0
      AND NOT a.attisdropped
UNION ALL SELECT 'trigger', pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
UNION ALL
SELECT 'constraint', conname || ' ' || conrelid::regclass || ' ' || pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT 'index', indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT 'sequence', relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind = 'S'
UNION ALL SELECT 'function', proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL SELECT 'type', typname FROM pg_type
WHERE typnamespace = 'public'::regnamespace AND typtype IN ('e', 'd')
UNION ALL SELECT 'extension', extname FROM pg_extension WHERE extname <> 'plpgsql'
ORDER BY 1, 2
"""


@pytest.fixture
async def empty_database(worker_name: str) -> AsyncIterator[str]:
    """The URL of a database without any table."""
    async with make_database(os.environ[DATABASE_VARIABLE], f"palaver_up_{worker_name}") as url:
        yield url


async def test_migrations_go_up_and_down_and_up(empty_database: str) -> None:
    _run(empty_database, lambda config: command.upgrade(config, "head"))
    made = await _read_catalogue(empty_database)
    assert len(made) > 100
    # Autogeneration finds nothing to add to what the migrations made.
    _run(empty_database, command.check)
    _run(empty_database, lambda config: command.downgrade(config, "base"))
    left = await _read_catalogue(empty_database)
    assert [what for what in left if "alembic_version" not in what[1]] == []
    _run(empty_database, lambda config: command.upgrade(config, "head"))
    assert await _read_catalogue(empty_database) == made


async def test_no_migration_waits_or_runs_for_ever(empty_database: str) -> None:
    statements = _run_noting_statements(empty_database)
    first = next(i for i, sql in enumerate(statements) if "CREATE TABLE" in sql)
    before = " ".join(statements[:first])
    assert "SET lock_timeout = '5s'" in before
    assert "SET statement_timeout = '10min'" in before
    # But for indexes that are made beside the writers; and then it is set back.
    changed = [sql for sql in statements[first:] if "_timeout" in sql]
    assert changed == ["SET lock_timeout = 0", "SET lock_timeout = '5s'"] * (len(changed) // 2)


CONCURRENT = """
from alembic import op

revision = "9001"
down_revision = "{head}"

def upgrade():
    with op.get_context().autocommit_block():
        op.create_index("ix_concurrent", "users", ["created_at"], postgresql_concurrently=True)

def downgrade():
    op.drop_index("ix_concurrent", table_name="users")
"""
BROKEN = """
from alembic import op

revision = "9002"
down_revision = "9001"

def upgrade():
    op.execute("CREATE TABLE half_done (id int)")
    op.execute("SELECT 1 / 0")

def downgrade():
    pass
"""


async def test_each_migration_has_its_own_transaction(empty_database: str, tmp_path: Path) -> None:
    """An index can be created concurrently, and one that fails undoes only itself."""
    (tmp_path / "9001_concurrent.py").write_text(CONCURRENT.format(head=find_head()))
    (tmp_path / "9002_broken.py").write_text(BROKEN)

    def upgrade(config: Config) -> None:
        shipped = files("migrations") / "versions"
        config.set_main_option("path_separator", "newline")
        config.set_main_option("version_locations", f"{shipped}\n{tmp_path}")
        command.upgrade(config, "head")

    with pytest.raises(DBAPIError, match="division by zero"):
        _run(empty_database, upgrade)
    async with connected_to(empty_database) as connection:
        assert await connection.fetchval("SELECT version_num FROM alembic_version") == "9001"
        assert await connection.fetchval("SELECT to_regclass('half_done')") is None
        assert await connection.fetchval(
            "SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_concurrent'::regclass"
        )
        locks = (
            "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database "
            "WHERE locktype = 'advisory' AND datname = current_database()"
        )
        assert await connection.fetchval(locks) == 0


MIGRATE = """
import sys
from importlib.resources import files
from alembic import command
from api.kit.db.migrations import alembic_config

config = alembic_config(sys.argv[1])
config.set_main_option("path_separator", "newline")
config.set_main_option("version_locations", f"{files('migrations') / 'versions'}\\n{sys.argv[2]}")
command.upgrade(config, "head")
"""


async def test_two_who_migrate_at_once_wait_for_each_other(
    empty_database: str, tmp_path: Path
) -> None:
    """Also while one of them creates an index concurrently, which waits for every snapshot."""
    (tmp_path / "9001_concurrent.py").write_text(CONCURRENT.format(head=find_head()))
    url = to_asyncpg(empty_database).render_as_string(hide_password=False)
    command_line = [sys.executable, "-c", MIGRATE, url, str(tmp_path)]
    processes = [await asyncio.create_subprocess_exec(*command_line, cwd=ROOT) for _ in range(2)]
    assert await asyncio.gather(*(process.wait() for process in processes)) == [0, 0]


def _run_noting_statements(url: str) -> list[str]:
    """Migrate, and return the statements that this took."""
    statements: list[str] = []

    def note(*arguments: object) -> None:
        statements.append(str(arguments[2]))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        _run(url, lambda config: command.upgrade(config, "head"))
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    return statements


def _run(url: str, run: Callable[..., None]) -> None:
    """Run an Alembic command in a thread: it has an event loop of its own."""
    errors: list[BaseException] = []

    def run_in_thread() -> None:
        try:
            run(alembic_config(to_asyncpg(url).render_as_string(hide_password=False)))
        except BaseException as error:  # noqa: BLE001 - raised again where pytest sees it
            errors.append(error)

    thread = threading.Thread(target=run_in_thread)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]


async def _read_catalogue(url: str) -> list[tuple[str, str]]:
    async with connected_to(url) as connection:
        rows = await connection.fetch(CATALOGUE)
    return [(row[0], row[1]) for row in rows]
