"""`palaver doctor`: what is wrong with this installation, and what to do about it."""

import asyncio
import os
from dataclasses import dataclass

import typer
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from api.cli.environment import load_settings, running_engines
from api.kit.db.database import Database, DatabaseUnavailable
from api.kit.db.migrations import find_head, find_revision, is_behind
from api.kit.redis.client import connect
from api.kit.settings import Settings, SettingsError, name_variable, require_secret

MIN_POSTGRES = 15
MIN_REDIS = (6, 2)
REDIS_TIMEOUT = 3  # seconds


def report() -> None:
    """Check the settings, the database, its schema and Redis, and say what to do."""
    settings = load_settings()
    with running_engines(settings, migrated=False) as connected:
        findings = asyncio.run(diagnose(connected, migrates_itself=settings.embeds_postgres))
    for finding in findings:
        typer.secho(
            f"{'ok  ' if finding.is_fine else 'FAIL'}  {finding.subject}: {finding.message}",
            fg=None if finding.is_fine else "red",
        )
    if not all(finding.is_fine for finding in findings):
        raise typer.Exit(1)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    is_fine: bool
    message: str


async def diagnose(settings: Settings, *, migrates_itself: bool) -> list[Finding]:
    """Look at everything; one thing that is wrong does not keep from looking at the others.

    `migrates_itself`: `palaver serve` brings the schema up to date, as it does where it brings the
    database along.
    """
    return [
        _check_settings(settings),
        *await _check_database(settings, migrates_itself=migrates_itself),
        await _check_redis(settings),
    ]


def _check_settings(settings: Settings) -> Finding:
    known = {name_variable(field) for field in Settings.model_fields}
    unknown = sorted(
        name for name in os.environ if name.startswith("PALAVER_") and name not in known
    )
    if unknown:
        message = f"{', '.join(unknown)} mean nothing here. Known are {', '.join(sorted(known))}."
        return Finding("settings", is_fine=False, message=message)
    try:
        require_secret(settings)
    except SettingsError as error:
        return Finding("settings", is_fine=False, message=str(error))
    return Finding("settings", is_fine=True, message="every variable is known")


async def _check_database(settings: Settings, *, migrates_itself: bool) -> list[Finding]:
    database = Database(str(settings.database_url), pool_size=1)
    try:
        async with database.read_session() as session:
            number = int(str(await session.scalar(text("SHOW server_version_num"))))
            revision = await find_revision(session)
    except (DatabaseUnavailable, DBAPIError) as error:
        cause = error.__cause__ or error
        message = f"cannot be used: {cause}. Check PALAVER_DATABASE_URL and that it runs."
        return [Finding("database", is_fine=False, message=message)]
    finally:
        await database.close()
    major = number // 10_000
    is_fine = major >= MIN_POSTGRES
    advice = "" if is_fine else f". Palaver needs {MIN_POSTGRES} or newer."
    version = Finding("database", is_fine=is_fine, message=f"PostgreSQL {major}{advice}")
    if is_behind(revision):
        message = f"at {revision or 'nothing'}, wanted is {find_head()}."
        advice = "'palaver serve' sees to it." if migrates_itself else "Run 'palaver migrate'."
        return [version, Finding("schema", is_fine=migrates_itself, message=f"{message} {advice}")]
    return [version, Finding("schema", is_fine=True, message=f"at {revision}")]


async def _check_redis(settings: Settings) -> Finding:
    redis = connect(str(settings.redis_url))
    try:
        async with asyncio.timeout(REDIS_TIMEOUT):
            info = await redis.info("server")
    except (RedisError, OSError) as error:
        reason = str(error) or "no answer"
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
