"""PostgreSQL: two pools of connections, and what an engine's failure means to a client.

Writers and readers have a pool each (docs/decisions/0002). A reading connection is read-only by
PostgreSQL's own word and commits each statement by itself: one round trip a statement, and a
statement is the snapshot.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import asyncpg
import orjson
import structlog
from sqlalchemy import URL, NullPool, event, func, make_url, select
from sqlalchemy.exc import DBAPIError, DisconnectionError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
    create_async_engine,
)

from api.kit.problems import Problem

log = structlog.get_logger(__name__)

# Seconds. A request that would wait longer for the database gets 503 with Retry-After.
CONNECT_TIMEOUT = 3
POOL_TIMEOUT = 5
# Seconds, beyond PostgreSQL's own statement_timeout: for a server that is frozen or cut off.
COMMAND_TIMEOUT = 12

_SERVER_SETTINGS = {
    "application_name": "palaver",
    "statement_timeout": "10s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "30s",
    # The statements are small and prepared: compiling them costs more than running them.
    "jit": "off",
}

# Every read goes along an index that was made for it, so its plan need not depend on its values:
# planning takes longer than reading a page, and a plan chosen for the average article would sort
# all comments of a large one.
_READER_SETTINGS = {
    "default_transaction_read_only": "on",
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
}

# SQLSTATE classes and codes that say "not now": connection lost, resources short, shutting down or
# starting, cancelled by a timeout, lock not had, deadlock. Anything else is a defect, not hidden.
_PASSING = ("08", "53", "57", "55P03", "40")


class DatabaseUnavailable(Problem):
    """PostgreSQL cannot be reached, or gave up on a statement.

    After a commit that was cut off nobody knows whether it took place: the response does not say.
    """

    status = 503
    code = "database_unavailable"
    title = "Database unavailable"
    detail = "Send the request again in a few seconds, with the same Idempotency-Key if it had one."
    headers = (("Retry-After", "2"),)


class Database:
    """The engines of one process."""

    def __init__(self, url: str, *, pool_size: int) -> None:
        self.url = to_asyncpg(url)
        self.writer = self._make_engine(pool_size, read_only=False)
        self.reader = self._make_engine(pool_size, read_only=True)
        # A connection of its own for each lock: whatever ends it, the lock goes with it.
        self._locks = create_async_engine(
            self.url,
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            connect_args={
                "async_creator_fn": connect,
                "timeout": CONNECT_TIMEOUT,
                "command_timeout": COMMAND_TIMEOUT,
            },
        )

    def _make_engine(self, pool_size: int, *, read_only: bool) -> AsyncEngine:
        settings = dict(_SERVER_SETTINGS)
        options = {}
        if read_only:
            settings |= _READER_SETTINGS
            options["isolation_level"] = "AUTOCOMMIT"
        engine = create_async_engine(
            self.url,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=POOL_TIMEOUT,
            # The values of a statement are what people wrote: an error's message leaves them out.
            hide_parameters=True,
            json_serializer=lambda value: orjson.dumps(value).decode(),
            json_deserializer=orjson.loads,
            connect_args={
                "async_creator_fn": connect,
                "server_settings": settings,
                "timeout": CONNECT_TIMEOUT,
                "command_timeout": COMMAND_TIMEOUT,
            },
            **options,
        )
        event.listen(engine.sync_engine, "checkout", _refuse_closed)
        return engine

    @asynccontextmanager
    async def read_session(self) -> AsyncIterator[AsyncSession]:
        """Open a session that can only read. Raises DatabaseUnavailable."""
        with map_connection_errors():
            async with AsyncSession(self.reader, expire_on_commit=False) as session:
                yield session

    @asynccontextmanager
    async def read_connection(self) -> AsyncIterator[AsyncConnection]:
        """Open a reading connection without a session, for statements that give rows, not objects.

        A session costs as much as a statement does. Raises DatabaseUnavailable.
        """
        with map_connection_errors():
            async with self.reader.connect() as connection:
                yield connection

    @asynccontextmanager
    async def read_snapshot(self) -> AsyncIterator[AsyncConnection]:
        """Open a reading connection whose statements all see the same snapshot.

        It takes two round trips more, BEGIN and ROLLBACK. Raises DatabaseUnavailable.
        """
        async with self.read_connection() as connection:
            # For as long as it is out of the pool.
            yield await connection.execution_options(isolation_level="REPEATABLE READ")

    @asynccontextmanager
    async def write_session(self) -> AsyncIterator[AsyncSession]:
        """Open a session that commits when its block ends well. Raises DatabaseUnavailable.

        It takes a connection from the pool with its first statement: a request that hashes a
        password, or is refused, before that keeps none from others.
        """
        with map_connection_errors():
            # begin(), not commit() at the end: where a commit fails before PostgreSQL hears of it,
            # the connection would go back to the pool with its transaction still open.
            async with (
                AsyncSession(self.writer, expire_on_commit=False) as session,
                session.begin(),
            ):
                yield session

    @asynccontextmanager
    async def try_lock(self, name: str) -> AsyncIterator[bool]:
        """Hold an advisory lock while the block runs; yield whether it was free.

        No transaction stays open meanwhile. Raises DatabaseUnavailable.
        """
        with map_connection_errors():
            async with self._locks.connect() as connection:
                key = func.hashtextextended(name, 0)
                yield bool(await connection.scalar(select(func.pg_try_advisory_lock(key))))

    async def close(self) -> None:
        """Close every connection."""
        await self._locks.dispose()
        await self.writer.dispose()
        await self.reader.dispose()


def to_asyncpg(url: str) -> URL:
    """Return the URL as SQLAlchemy's asyncpg dialect takes it: libpq's `sslmode` is `ssl` there."""
    parsed = make_url(url).set(drivername="postgresql+asyncpg")
    mode = parsed.query.get("sslmode")
    if mode is None:
        return parsed
    return parsed.difference_update_query(["sslmode"]).update_query_dict({"ssl": mode})


async def connect(*where: Any, **options: Any) -> asyncpg.Connection:
    """Open a connection. Whatever keeps it from opening (also a wrong password) is one problem."""
    try:
        return await asyncpg.connect(*where, **options)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise _report_away(error) from error


def _refuse_closed(connection: Any, *_: object) -> None:
    """Make the pool connect anew where the server hung up meanwhile; that costs no round trip."""
    if connection.driver_connection.is_closed():
        raise DisconnectionError


@contextmanager
def map_connection_errors() -> Iterator[None]:
    """Raise DatabaseUnavailable when the engine cannot be reached; defects stay as they are."""
    try:
        yield
    except (OSError, PoolTimeoutError) as error:
        # A connection that was reset or timed out under a statement comes through unwrapped.
        raise _report_away(error) from error
    except DBAPIError as error:
        if error.connection_invalidated or sqlstate_of(error).startswith(_PASSING):
            raise _report_away(error) from error
        raise


def _report_away(error: Exception) -> DatabaseUnavailable:
    log.warning("database_away", reason=f"{type(error).__name__}: {error}".partition("\n")[0])
    return DatabaseUnavailable()


@contextmanager
def map_integrity_errors(problems: Mapping[str, type[Problem]]) -> Iterator[None]:
    """Turn the violation of a named constraint or index into its problem."""
    try:
        yield
    except IntegrityError as error:
        cause = error.orig.__cause__ if error.orig is not None else None
        problem = problems.get(getattr(cause, "constraint_name", None) or "")
        if problem is None:
            raise
        raise problem from error


def sqlstate_of(error: DBAPIError) -> str:
    """Return PostgreSQL's five-character code, or "" where there is none."""
    return getattr(error.orig, "sqlstate", None) or ""
