"""Bringing a database to the schema of this release."""

from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory


def alembic_config(database_url: str = "") -> Config:
    """Return Alembic's settings: the migrations come with the package, wherever it is installed."""
    config = Config()
    config.set_main_option("script_location", str(files("migrations")).replace("%", "%%"))
    config.attributes["database_url"] = database_url
    return config


def migrate(database_url: str, revision: str = "head") -> None:
    """Bring the database up to a revision; two who try at once wait for each other."""
    command.upgrade(alembic_config(database_url), revision)


def is_behind(revision: str | None) -> bool:
    """Tell whether a database at this revision lacks what this release needs.

    A revision that the release does not know is a newer one: while servers are upgraded one after
    another, the old ones go on serving.
    """
    known = {
        script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions()
    }
    return revision is None or (revision in known and revision != find_head())


def find_head() -> str:
    """Return the revision that this release wants."""
    head = ScriptDirectory.from_config(alembic_config()).get_current_head()
    if head is None:
        raise RuntimeError("the package holds no migrations; install it anew")
    return head
