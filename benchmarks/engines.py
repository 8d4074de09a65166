"""The engines of a run, and a database in them that is the same at the start of every run.

The seeded data is kept as a database of its own, named after everything it is made from, and each
run works on a copy: what a run writes is gone with the next one.
"""

import asyncio
import fcntl
import hashlib
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
from redis import Redis
from sqlalchemy import make_url

from api.embedded import engines as embedded
from api.kit.db.migrations import migrate
from benchmarks.seed import make_plans, seed

DATA_DIR = Path(__file__).parent.parent / ".palaver-bench"
RUN_DATABASE = "bench"
_SEED_PREFIX = "bench_seed_"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Engines:
    """Where a run's engines listen, and what they are."""

    database_url: str
    redis_url: str
    postgres_version: str
    valkey_version: str

    def ask(self, work: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
        """Return what `work` does on a connection to the run's database."""
        return asyncio.run(on_connection(self.database_url, work))


@contextmanager
def running_engines(sizes: list[int], tell: Callable[[str], None]) -> Iterator[Engines]:
    """Start PostgreSQL and Valkey for as long as the block lasts, with a fresh copy of the data.

    Raises SystemExit when another run has the folder.
    """
    DATA_DIR.mkdir(exist_ok=True)
    with (DATA_DIR / "run.lock").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SystemExit(f"Another benchmark runs in {DATA_DIR}.") from None
        with embedded.running(DATA_DIR) as started:
            if started.database_url is None or started.redis_url is None:
                raise SystemExit("The embedded engines did not start.")
            seeded = _seed_once(started.database_url, sizes, tell)
            url = _name_database(started.database_url, RUN_DATABASE)
            asyncio.run(on_connection(started.database_url, partial(_copy_seed, seeded=seeded)))
            redis = Redis.from_url(started.redis_url)
            # Pointers of an earlier run on the same Valkey would be ahead of this run's versions.
            redis.flushall()
            facts: Any = redis.info("server")
            valkey = facts.get("valkey_version") or facts["redis_version"]
            redis.close()
            postgres = asyncio.run(on_connection(url, lambda c: c.fetchval("SHOW server_version")))
            yield Engines(url, started.redis_url, postgres, valkey)


async def on_connection(url: str, work: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
    """Return what `work` does on a connection of its own."""
    connection = await connect(url)
    try:
        return await work(connection)
    finally:
        await connection.close()


async def connect(url: str, **server_settings: str) -> asyncpg.Connection:
    """Connect the bare driver to an SQLAlchemy URL."""
    parsed = make_url(url)
    host = parsed.query.get("host", parsed.host)
    return await asyncpg.connect(
        host=host if isinstance(host, str) or host is None else host[0],
        port=parsed.port or parsed.query.get("port"),
        user=parsed.username,
        password=parsed.password,
        database=parsed.database,
        server_settings=server_settings,
    )


def _seed_once(base_url: str, sizes: list[int], tell: Callable[[str], None]) -> str:
    """Return the name of the database that holds the data, made if it is not there yet."""
    family = f"{_SEED_PREFIX}{max(sizes)}_"
    name = family + _fingerprint(sizes)
    known = asyncio.run(on_connection(base_url, _list_databases))
    if name in known:
        return name
    for outdated in (other for other in known if other.startswith(family)):
        asyncio.run(on_connection(base_url, partial(_drop_database, name=outdated)))
    # Under a name that is never taken for a finished one, until it is finished.
    draft = f"{_SEED_PREFIX}draft"
    asyncio.run(on_connection(base_url, partial(_replace_database, name=draft)))
    url = _name_database(base_url, draft)
    migrate(url)
    tell(f"Seeding articles of {', '.join(f'{size:,}' for size in sizes)} comments ...")
    began = time.monotonic()
    asyncio.run(on_connection(url, lambda c: seed(c, make_plans(sizes))))
    rename = f'ALTER DATABASE "{draft}" RENAME TO "{name}"'
    asyncio.run(on_connection(base_url, lambda c: c.execute(rename)))
    tell(f"Seeded in {time.monotonic() - began:.0f} s.")
    return name


def _fingerprint(sizes: list[int]) -> str:
    """Return a name for all that the data follows from: sizes, seeder, schema."""
    here = Path(__file__).parent
    sources = [here / name for name in ("seed.py", "shapes.py", "texts.py")]
    sources += sorted((here.parent / "migrations" / "versions").glob("*.py"))
    digest = hashlib.sha256(repr(sorted(sizes)).encode())
    for source in sources:
        digest.update(source.read_bytes())
    return digest.hexdigest()[:12]


async def _list_databases(connection: asyncpg.Connection) -> set[str]:
    rows = await connection.fetch("SELECT datname FROM pg_database")
    return {row["datname"] for row in rows}


async def _drop_database(connection: asyncpg.Connection, *, name: str) -> None:
    await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


async def _replace_database(connection: asyncpg.Connection, *, name: str) -> None:
    await _drop_database(connection, name=name)
    await connection.execute(f'CREATE DATABASE "{name}"')


async def _copy_seed(connection: asyncpg.Connection, *, seeded: str) -> None:
    await _drop_database(connection, name=RUN_DATABASE)
    # Copied as files: by default every block would go through the write-ahead log.
    await connection.execute(
        f'CREATE DATABASE "{RUN_DATABASE}" TEMPLATE "{seeded}" STRATEGY FILE_COPY'
    )


def _name_database(url: str, name: str) -> str:
    return make_url(url).set(database=name).render_as_string(hide_password=False)
