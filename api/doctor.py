"""What is wrong with this installation, and what to do about it."""

import os
from dataclasses import dataclass

from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from api.kit.database import Database, DatabaseUnavailable
from api.kit.migrations import find_head, is_behind
from api.kit.redis import connect
from api.kit.settings import Settings, SettingsError, require_secret

MIN_POSTGRES = 15
MIN_REDIS = (6, 2)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    is_fine: bool
    message: str


async def diagnose(settings: Settings) -> list[Finding]:
    """Look at everything; one thing that is wrong does not keep from looking at the others."""
    return [
        _check_settings(settings),
        *await _check_database(settings),
        await _check_redis(settings),
    ]


def _check_settings(settings: Settings) -> Finding:
    known = {f"PALAVER_{name.upper()}" for name in Settings.model_fields}
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


async def _check_database(settings: Settings) -> list[Finding]:
    database = Database(str(settings.database_url), pool_size=1)
    try:
        async with database.read() as session:
            number = int(str(await session.scalar(text("SHOW server_version_num"))))
            found = await session.scalar(text("SELECT to_regclass('alembic_version')"))
            revision = None
            if found is not None:
                revision = await session.scalar(text("SELECT version_num FROM alembic_version"))
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
        message = f"at {revision or 'nothing'}, wanted is {find_head()}. Run 'palaver migrate'."
        return [version, Finding("schema", is_fine=False, message=message)]
    return [version, Finding("schema", is_fine=True, message=f"at {revision}")]


async def _check_redis(settings: Settings) -> Finding:
    redis = connect(str(settings.redis_url))
    try:
        info = await redis.info("server")
    except (RedisError, OSError) as error:
        message = (
            f"cannot be used: {error}. Palaver works without it, slower and with stricter limits. "
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
