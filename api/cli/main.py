"""The command `palaver`: serve, work, migrate, import, demo, manage users, find what is wrong."""

import sys
from importlib.metadata import version
from typing import Annotated, NoReturn

import typer

from api.cli import (
    cache,
    deliveries,
    demo,
    doctor,
    migrate,
    moderation,
    openapi,
    sanctions,
    serve,
    transfer,
    users,
    webhooks,
    worker,
)
from api.embedded.engines import EngineStartError
from api.kit.db.database import DatabaseUnavailable
from api.kit.problems import Problem
from api.kit.settings import SettingsError
from api.transfer.demo.service import DemoError
from api.transfer.thread_file import ThreadFileError

INTERRUPTED = 130  # the exit code that Typer makes of Ctrl-C: 128 + SIGINT

app = typer.Typer(
    name="palaver", help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False
)
app.command("serve")(serve.serve)
app.command("worker")(worker.work)
app.command("migrate")(migrate.migrate)
app.command("openapi")(openapi.write_document)
app.command("import")(transfer.import_file)
app.command("demo")(demo.demo)
app.add_typer(users.app, name="user")
for command in (
    *(sanctions.ban, sanctions.unban, sanctions.silence, sanctions.unsilence),
    sanctions.warn,
):
    moderation.app.command()(command)
app.add_typer(moderation.app, name="moderation")
app.add_typer(deliveries.app, name="deliveries")
app.add_typer(webhooks.app, name="webhooks")
app.add_typer(cache.app, name="cache")
app.command("doctor")(doctor.report)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"palaver {version('palaver')}")
        raise typer.Exit


@app.callback()
def _accept_options(
    *,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Accept what may precede a command."""


def main() -> None:
    """Run the command; what the operator can mend is printed as one line, not as a traceback."""
    try:
        app()
    except SystemExit as error:
        if error.code == INTERRUPTED:
            typer.echo("palaver: stopped by Ctrl-C.", err=True)
        raise
    except DatabaseUnavailable as error:
        _refuse(f"{error.title}: {error.__cause__}")
    except Problem as error:
        _refuse(f"{error.title}. {error.detail}")
    except (SettingsError, EngineStartError, ThreadFileError, DemoError) as error:
        _refuse(str(error))


def _refuse(reason: str) -> NoReturn:
    typer.secho(f"palaver: {reason}", fg="red", err=True)
    sys.exit(1)
