"""The tests' engines and app: real servers, the app as it ships; only addresses and clock are ours.

The servers are started once a run, by the process that the others come from; each process has a
database and a Redis number of its own. Tests commit for real, and tables are emptied before each
test that uses them.
"""

import os
import tempfile
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import httpx
import pytest
from asgi_lifespan import LifespanManager
from fastapi import FastAPI
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pydantic import SecretStr
from redis.asyncio import Redis
from sqlalchemy import make_url, text

from api.comments.schemas import CommentSort
from api.comments.tree.assembly import build_tree
from api.comments.tree.cursors import Window
from api.embedded import engines as embedded
from api.kit.db.database import Database
from api.kit.db.migrations import migrate
from api.kit.logs import configure_logging
from api.kit.services import Services
from api.kit.settings import Settings
from api.main import create_app, make_services
from api.votes.service import publish_scores
from models import Role
from tests.client import Client, Person
from tests.connections import EMPTY_TABLES, connect_arguments
from tests.recount import find_wrong_counters
from tests.streams import hanging_up

DATABASE_VARIABLE = "PALAVER_TEST_DATABASE_URL"
REDIS_VARIABLE = "PALAVER_TEST_REDIS_URL"
SECRET = "a secret for the tests, long enough"

hypothesis_settings.register_profile(
    "palaver", deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
hypothesis_settings.load_profile("palaver")

configure_logging(Settings(log_level="error"))

_engines = ExitStack()


def pytest_configure(config: pytest.Config) -> None:
    """Start the engines before any worker process is made, so that all inherit where they are."""
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    missing = [name for name in (DATABASE_VARIABLE, REDIS_VARIABLE) if name not in os.environ]
    if missing:
        folder = Path(_engines.enter_context(tempfile.TemporaryDirectory(prefix="palaver-")))
        folder.chmod(0o755)
        engines = _engines.enter_context(
            embedded.running(
                folder / "data",
                postgres=DATABASE_VARIABLE in missing,
                valkey=REDIS_VARIABLE in missing,
            )
        )
        if engines.database_url:
            os.environ[DATABASE_VARIABLE] = engines.database_url
        if engines.redis_url:
            os.environ[REDIS_VARIABLE] = engines.redis_url


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the engines that this run started."""
    _engines.close()


class MovableClock:
    """A clock that stands where a test puts it, and otherwise goes as the machine's does."""

    def __init__(self) -> None:
        self.offset = timedelta()
        self._stopped_at: datetime | None = None

    def now(self) -> datetime:
        return (self._stopped_at or datetime.now(UTC)) + self.offset

    def stop(self) -> None:
        """Go only when told to, so that nothing comes due by itself on a slow machine."""
        self._stopped_at = datetime.now(UTC)

    def advance(self, **units: float) -> None:
        self.offset += timedelta(**units)


@pytest.fixture(scope="session")
def worker_name() -> str:
    return os.environ.get("PYTEST_XDIST_WORKER", "gw0")


@pytest.fixture(scope="session")
async def _database_created(worker_name: str) -> str:
    """Make this process's database; fsync is worth nothing to data that lives for a minute."""
    url = os.environ[DATABASE_VARIABLE]
    name = f"palaver_test_{worker_name}"
    connection = await asyncpg.connect(**connect_arguments(url))
    await connection.execute("ALTER SYSTEM SET fsync = off")
    await connection.execute("SELECT pg_reload_conf()")
    await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    return make_url(url).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def database_url(_database_created: str) -> str:
    """The URL of this process's database, with the newest schema."""
    # Alembic runs an event loop of its own, which a thread without one can.
    thread = threading.Thread(target=migrate, args=(_database_created,))
    thread.start()
    thread.join()
    return _database_created


@pytest.fixture(scope="session")
def redis_url(worker_name: str) -> str:
    base = os.environ[REDIS_VARIABLE]
    number = int(worker_name.removeprefix("gw") or 0) + 1
    if base.startswith("unix:"):
        return f"{base.partition('?')[0]}?db={number}"
    return f"{base.rstrip('/')}/{number}"


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def settings(database_url: str, redis_url: str, tmp_path: Path) -> Settings:
    """The settings of the tested app; rate limits are off but where they are what is tested."""
    return Settings(
        database_url=database_url,
        redis_url=redis_url,
        secret_key=SecretStr(SECRET),
        data_dir=tmp_path,
        rate_limits_enabled=False,
        log_level="error",
    )


@pytest.fixture
async def _emptied(database_url: str, redis_url: str) -> None:
    connection = await asyncpg.connect(**connect_arguments(database_url))
    await connection.execute(EMPTY_TABLES)
    await connection.close()
    redis = Redis.from_url(redis_url)
    await redis.flushdb()
    await redis.aclose()


class KeptDatabase(Database):
    """A database that one app after the other uses.

    A new one for each test took a third of the suite's time: connections that PostgreSQL forks for,
    and statements to compile and prepare again.
    """

    async def close(self) -> None:
        """Keep the connections for the next app."""

    async def close_at_last(self) -> None:
        await super().close()


@pytest.fixture(scope="session")
async def databases() -> AsyncIterator[dict[tuple[str, int], KeptDatabase]]:
    """The databases that were used so far, by URL and size of the pool."""
    kept: dict[tuple[str, int], KeptDatabase] = {}
    yield kept
    for database in kept.values():
        await database.close_at_last()


@pytest.fixture
def services(
    settings: Settings,
    clock: MovableClock,
    databases: dict[tuple[str, int], KeptDatabase],
    _emptied: None,
) -> Services:
    key = (str(settings.database_url), settings.database_pool_size)
    if key not in databases:
        databases[key] = KeptDatabase(key[0], pool_size=key[1])
    return make_services(settings, clock, database=databases[key])


@pytest.fixture
def app(services: Services) -> FastAPI:
    return create_app(services)


@pytest.fixture
async def client(app: FastAPI, services: Services) -> AsyncIterator[Client]:
    """A client without credentials.

    Afterwards every counter is compared with a recount, and every cached tree with a fresh one.
    """
    async with LifespanManager(app):
        transport = httpx.ASGITransport(hanging_up(app), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
            yield Client(http, services=services)
            await check_cached_trees(Client(http), services)
            async with services.database.read_session() as session:
                assert await find_wrong_counters(session) == [], "counters that no recount gives"


@dataclass
class Process:
    """Another process of the service: the same engines, a memory of its own."""

    client: Client
    services: Services
    app: FastAPI


@pytest.fixture
async def start_process(
    settings: Settings, clock: MovableClock, client: Client
) -> AsyncIterator[Callable[[], Awaitable[Process]]]:
    """Return how to start further processes beside the one of `client`."""
    async with AsyncExitStack() as stack:

        async def start() -> Process:
            services = make_services(settings, clock)
            app = create_app(services)
            await stack.enter_async_context(LifespanManager(app))
            transport = httpx.ASGITransport(hanging_up(app), raise_app_exceptions=False)
            http = httpx.AsyncClient(transport=transport, base_url="http://test")
            await stack.enter_async_context(http)
            return Process(Client(http, services=services), services, app)

        yield start


@pytest.fixture
def make_staff(client: Client) -> Callable[[str], Awaitable[Person]]:
    """Return how to make somebody of a role, as `palaver user create` does."""

    async def make(role: str) -> Person:
        return await client.join(f"staff-{role}", role=Role(role), email=f"{role}@example.com")

    return make


async def check_cached_trees(client: Client, services: Services) -> None:
    """Compare what readers get of every article with what the database holds."""
    await publish_scores(services)
    async with services.database.read_session() as session:
        ids = await session.scalars(text("SELECT id FROM articles WHERE deleted_at IS NULL"))
    for article_id in ids.all()[:20]:
        for sort in (CommentSort.BEST, CommentSort.OLD):
            read = await client.get(f"/v1/articles/{article_id}/comments?sort={sort}")
            window = Window(under_id=article_id, sort=sort, limit=50, children=5, depth=4)
            fresh = await build_tree(services, article_id, window)
            assert read.content == fresh.body, f"a stale tree of {article_id} by {sort}"
