"""`palaver migrate`."""

import typer

from api.cli.environment import load_settings, migrate_schema, running_engines


def migrate() -> None:
    """Migrate the database to the schema of this release."""
    with running_engines(load_settings(), migrated=False) as connected:
        migrate_schema(str(connected.database_url))
        typer.echo("The database has the newest schema.")
