"""`palaver doctor`: what is wrong with this installation, and what to do about it."""

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path

import typer
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from api.cli.environment import describe_mail, load_settings
from api.embedded.engines import Engines, EngineStartError, find_data_version, find_running
from api.kit.db.database import Database, DatabaseUnavailable
from api.kit.db.migrations import find_head, find_revision, is_behind
from api.kit.redis.client import connect
from api.kit.settings import Settings, SettingsError, name_variable, require_secret
from api.kit.smtp import parse_smtp_url
from api.mail.transport import MailDelayedError, check_server

MIN_POSTGRES = 15
MIN_REDIS = (6, 2)
REDIS_TIMEOUT = 3  # seconds
STARTS_IT = "'palaver serve' starts it"


def report() -> None:
    """Check the settings, the database, its schema and Redis, and say what to do.

    Changes nothing: no folder is created, no server started.
    """
    settings = load_settings()
    embeds = settings.embeds_postgres or settings.embeds_valkey
    running = find_running(settings.data_dir) if embeds else None
    findings = asyncio.run(diagnose(settings, running))
    for finding in findings:
        typer.secho(
            f"{'ok  ' if finding.is_fine else 'FAIL'}  {finding.subject}: {finding.message}",
            fg=None if finding.is_fine else "red",
        )
    if not all(finding.is_fine for finding in findings):
        raise typer.Exit(1)


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check."""

    subject: str
    is_fine: bool
    message: str


async def diagnose(settings: Settings, running: Engines | None) -> list[Finding]:
    """Check everything; a check that fails does not keep the others from running.

    `running`: the embedded engines that run now, if any.
    """
    database_url = settings.database_url or (running and running.database_url)
    redis_url = settings.redis_url or (running and running.redis_url)
    return [
        _check_settings(settings),
        *(
            await _check_database(database_url, embedded=settings.embeds_postgres)
            if database_url
            else [_check_data_folder(settings.data_dir.resolve())]
        ),
        (
            await _check_redis(redis_url)
            if redis_url
            else Finding("redis", is_fine=True, message=f"embedded, not running: {STARTS_IT}")
        ),
        await _check_mail(settings),
    ]


def _check_settings(settings: Settings) -> Finding:
    known = {name_variable(field) for field in Settings.model_fields}
    unknown = sorted(
        name for name in os.environ if name.startswith("PALAVER_") and name not in known
    )
    if unknown:
        message = f"{', '.join(unknown)} mean nothing here. Known are {', '.join(sorted(known))}."
        return Finding("settings", is_fine=False, message=message)
    if not settings.embeds_postgres:  # otherwise `palaver serve` makes one
        try:
            require_secret(settings)
        except SettingsError as error:
            return Finding("settings", is_fine=False, message=str(error))
    return Finding("settings", is_fine=True, message="every variable is known")


def _check_data_folder(folder: Path) -> Finding:
    """Check what `palaver serve` will find where it starts the database itself."""
    try:
        version = find_data_version(folder)
    except EngineStartError as error:
        return Finding("database", is_fine=False, message=str(error))
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not os.access(existing, os.W_OK | os.X_OK):
        message = (
            f"{existing} is not writable for uid {os.geteuid()}. Run as its owner, or choose "
            "another folder with PALAVER_DATA_DIR."
        )
        return Finding("database", is_fine=False, message=message)
    state = f"with data of PostgreSQL {version}" if version else "without data"
    message = f"embedded, not running, {state} in {folder}: {STARTS_IT}"
    return Finding("database", is_fine=True, message=message)


async def _check_database(url: str, *, embedded: bool) -> list[Finding]:
    database = Database(url, pool_size=1)
    try:
        async with database.read_session() as session:
            number = int(str(await session.scalar(text("SHOW server_version_num"))))
            revision = await find_revision(session)
    except (DatabaseUnavailable, DBAPIError) as error:
        cause = error.__cause__ or error
        advice = (
            "End every palaver on this data folder, and start again."
            if embedded
            else "Check PALAVER_DATABASE_URL and that it runs."
        )
        message = f"cannot be used: {cause}. {advice}"
        return [Finding("database", is_fine=False, message=message)]
    finally:
        await database.close()
    major = number // 10_000
    is_fine = major >= MIN_POSTGRES
    advice = "" if is_fine else f". Palaver needs {MIN_POSTGRES} or newer."
    version = Finding("database", is_fine=is_fine, message=f"PostgreSQL {major}{advice}")
    if is_behind(revision):
        message = f"at {revision or 'nothing'}, wanted is {find_head()}."
        advice = "The next 'palaver serve' migrates it." if embedded else "Run 'palaver migrate'."
        return [version, Finding("schema", is_fine=embedded, message=f"{message} {advice}")]
    return [version, Finding("schema", is_fine=True, message=f"at {revision}")]


async def _check_redis(url: str) -> Finding:
    redis = connect(url)
    try:
        async with asyncio.timeout(REDIS_TIMEOUT):
            info = await redis.info("server")
    except (RedisError, OSError) as error:
        reason = str(error) or "no response"
        message = (
            f"cannot be used: {reason}. Palaver works without it, slower and with stricter limits. "
            "Check PALAVER_REDIS_URL and that it runs."
        )
        return Finding("redis", is_fine=False, message=message)
    finally:
        await redis.aclose()
    name = "Valkey" if "valkey_version" in info else "Redis"
    version = str(info.get("valkey_version") or info["redis_version"])
    major, minor = map(int, version.split(".")[:2])
    is_fine = (major, minor) >= MIN_REDIS
    advice = "" if is_fine else f". Palaver needs Redis {'.'.join(map(str, MIN_REDIS))} or newer."
    return Finding("redis", is_fine=is_fine, message=f"{name} {version}{advice}")


async def _check_mail(settings: Settings) -> Finding:
    if settings.smtp_url is None:
        return Finding("mail", is_fine=True, message=describe_mail(settings))
    server = parse_smtp_url(settings.smtp_url)
    where = f"{server.host}:{server.port}"
    try:
        await check_server(settings, server)
    except MailDelayedError as error:
        message = f"{where} cannot be used: {error}. Check PALAVER_SMTP_URL and that it runs."
        return Finding("mail", is_fine=False, message=message)
    return Finding("mail", is_fine=True, message=f"{where} takes mails")
