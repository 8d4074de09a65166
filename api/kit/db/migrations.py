"""Bringing a database to the schema of this release."""

import functools
from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from api.kit.db.database import to_asyncpg


def alembic_config(database_url: str = "") -> Config:
    """Return Alembic's settings: the migrations come with the package, wherever it is installed."""
    config = Config()
    config.set_main_option("script_location", str(files("migrations")).replace("%", "%%"))
    config.attributes["database_url"] = database_url
    return config


def migrate(database_url: str, revision: str = "head") -> None:
    """Bring the database up to a revision; two who try at once wait for each other."""
    url = to_asyncpg(database_url).render_as_string(hide_password=False)
    command.upgrade(alembic_config(url), revision)


async def find_revision(session: AsyncSession) -> str | None:
    """Return the revision that the database is at, None before the first migration."""
    if await session.scalar(text("SELECT to_regclass('alembic_version')")) is None:
        return None
    revision: str | None = await session.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def is_behind(revision: str | None) -> bool:
    """Tell whether a database at this revision lacks what this release needs.

    A revision that the release does not know is a newer one: while servers are upgraded one after
    another, the old ones go on serving.
    """
    return revision is None or revision in _find_earlier()


def find_head() -> str:
    """Return the revision that this release wants."""
    head = ScriptDirectory.from_config(alembic_config()).get_current_head()
    if head is None:
        raise RuntimeError("the package holds no migrations; install it anew")
    return head


@functools.cache
def _find_earlier() -> frozenset[str]:
    """Return the revisions before the head; kept, since every look at them reads all files."""
    scripts = ScriptDirectory.from_config(alembic_config()).walk_revisions()
    return frozenset(script.revision for script in scripts) - {find_head()}
