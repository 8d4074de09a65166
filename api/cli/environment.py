"""What a command runs with: settings from the environment, engines, services."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar

from alembic.util import CommandError
from pydantic import ValidationError

from api.embedded import engines as embedded
from api.kit.db.database import map_connection_errors
from api.kit.db.migrations import migrate
from api.kit.db.unit_of_work import UnitOfWork
from api.kit.logs import configure_logging
from api.kit.services import Services
from api.kit.settings import Settings, SettingsError, keep_secret, name_variable
from api.kit.smtp import parse_smtp_url
from api.main import make_services

Result = TypeVar("Result")


def load_settings(**fixed: Any) -> Settings:
    """Return the settings of the environment, except those in `fixed`, and configure the logs.

    Raises SettingsError.
    """
    try:
        settings = Settings(**fixed)
    except ValidationError as error:
        raise SettingsError(list_faults(error, name_variable)) from error
    configure_logging(settings)
    return settings


def list_faults(error: ValidationError, to_name: Callable[[str], str] = str) -> str:
    """Return what is wrong with which value, each by the name that the operator knows it by."""
    return "; ".join(
        # What is wrong with several values at once names them itself.
        ": ".join((*map(to_name, map(str, fault["loc"][:1])), _strip_kind(fault["msg"])))
        for fault in error.errors()
        # Only that a default depends on a value that is wrong.
        if fault["type"] != "default_factory_not_called"
    )


def _strip_kind(message: str) -> str:
    return message.removeprefix("Value error, ")


@contextmanager
def running_engines(settings: Settings, *, migrated: bool = True) -> Iterator[Settings]:
    """Start the engines that no variable names, and yield the settings with their addresses.

    An embedded database is migrated to the newest schema. Raises EngineStartError.
    """
    if not (settings.embeds_postgres or settings.embeds_valkey):
        yield settings
        return
    with embedded.running(
        settings.data_dir, postgres=settings.embeds_postgres, valkey=settings.embeds_valkey
    ) as engines:
        connected: dict[str, object] = {
            "database_url": settings.database_url or engines.database_url,
            "redis_url": settings.redis_url or engines.redis_url,
        }
        if settings.embeds_postgres:
            # Nobody else uses this database, so the secret may be stored next to it.
            connected["secret_key"] = settings.secret_key or keep_secret(settings.data_dir)
            if migrated:
                migrate_schema(str(engines.database_url))
        yield settings.model_copy(update=connected)


def migrate_schema(database_url: str) -> None:
    """Migrate the database to the newest schema. Raises DatabaseUnavailable or SettingsError."""
    try:
        with map_connection_errors():
            migrate(database_url)
    except CommandError as error:
        raise SettingsError(f"The database is of another release: {error}.") from error


@asynccontextmanager
async def open_services(settings: Settings) -> AsyncIterator[Services]:
    """Connect for as long as the block lasts."""
    services = make_services(settings)
    try:
        yield services
    finally:
        await services.close()


def run_with_services(
    settings: Settings, work: Callable[[Services], Coroutine[Any, Any, None]]
) -> None:
    """Run `work` on the engines of the settings."""

    async def run(connected: Settings) -> None:
        async with open_services(connected) as services:
            await work(services)

    with running_engines(settings) as connected:
        asyncio.run(run(connected))


def run_in_transaction(work: Callable[[UnitOfWork], Coroutine[Any, Any, Result]]) -> Result:
    """Run `work` in one transaction on the engines of the environment; return its result."""

    async def run(connected: Settings) -> Result:
        async with open_services(connected) as services, services.unit_of_work() as uow:
            return await work(uow)

    with running_engines(load_settings()) as connected:
        return asyncio.run(run(connected))


def describe_mail(settings: Settings) -> str:
    """Return what becomes of mails."""
    if settings.smtp_url is not None:
        return f"Mails are sent by {parse_smtp_url(settings.smtp_url).host}"
    if settings.mail_dir is not None:
        folder = settings.mail_dir.resolve()
        return f"Mails are written to {folder}: set PALAVER_SMTP_URL to send them"
    return "No mail is sent: set PALAVER_SMTP_URL, or PALAVER_MAIL_DIR for files"
