"""The command `palaver`: serve, work, migrate, import, look after people, find what is wrong."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from alembic.util import CommandError
from pydantic import SecretStr, ValidationError
from rich.console import Console
from rich.progress import Progress

from api.accounts.schemas import UserCreate
from api.accounts.service import register
from api.cli.doctor import diagnose
from api.cli.server import listening, run_server, url_of
from api.embedded import engines as embedded
from api.embedded.engines import EngineStartError
from api.kit.db.database import DatabaseUnavailable, unavailable_when_away
from api.kit.db.migrations import migrate as migrate_database
from api.kit.db.unit_of_work import UnitOfWork
from api.kit.logs import configure_logging
from api.kit.memory import keep_memory_small
from api.kit.problems import Problem
from api.kit.services import Services
from api.kit.settings import Settings, SettingsError, keep_secret, name_variable
from api.main import create_app, make_services
from api.transfer.service import import_thread
from api.transfer.thread_file import ThreadFileError, parse_thread_file
from api.worker import run_until_stopped, run_worker
from models import Role

app = typer.Typer(
    name="palaver", help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False
)
users = typer.Typer(help="Look after people.", no_args_is_help=True)
app.add_typer(users, name="user")


def main() -> None:
    """Run the command; what the operator can mend is told in a line, not in a traceback."""
    try:
        app()
    except DatabaseUnavailable as error:
        _refuse(f"{error.title}: {error.__cause__}")
    except Problem as error:
        _refuse(f"{error.title}. {error.detail}")
    except (SettingsError, EngineStartError, ThreadFileError) as error:
        _refuse(str(error))


def _refuse(reason: str) -> NoReturn:
    typer.secho(f"palaver: {reason}", fg="red", err=True)
    sys.exit(1)


@app.command()
def serve() -> None:
    """Serve the API. Engines that no variable names are started here, and the worker with them."""
    keep_memory_small()
    settings = load_settings()
    with listening(settings) as listener, engines_of(settings) as connected:
        background_task = run_worker if settings.embeds_postgres else None
        application = create_app(make_services(connected), background_task=background_task)
        run_server(application, listener, _greet(settings, url_of(listener)))


@app.command()
def worker() -> None:
    """Carry out what follows from what happened, until stopped."""
    _run(load_settings(), run_until_stopped)


@app.command()
def migrate() -> None:
    """Bring the database to the schema of this release."""
    with engines_of(load_settings(), migrated=False) as connected:
        _migrate(str(connected.database_url))
        typer.echo("The database has the newest schema.")


@app.command()
def openapi(
    file: Annotated[
        Path | None, typer.Argument(help="Where to write it; else it is printed.")
    ] = None,
) -> None:
    """Write the OpenAPI document, from the code alone."""
    # No engine is asked for anything: the addresses only have to be there.
    settings = load_settings(
        database_url="postgresql://localhost/none",
        redis_url="redis://localhost",
        secret_key=SecretStr("x" * 32),
    )
    document = create_app(make_services(settings)).openapi()
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    if file is None:
        typer.echo(text, nl=False)
    else:
        file.write_text(text, encoding="utf-8")


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="A thread file (docs/import.md).")],
) -> None:
    """Bring a thread in. Safe to repeat: what is there already is left as it is."""
    thread = parse_thread_file(file)
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("Importing", total=len(thread.comments))

        async def bring_in(uow: UnitOfWork) -> str:
            report = await import_thread(uow, thread, lambda: progress.advance(task))
            return (
                f"{report.added} comments added, {report.known} were there already. "
                f"Read them at /v1/articles/{report.slug}/comments"
            )

        message = _run_in_transaction(bring_in)
    typer.echo(message)


@users.command("create")
def create_user(
    handle: Annotated[str, typer.Option(help="Letters a-z, digits, single inner _ or -.")],
    email: Annotated[str, typer.Option(help="To log in with, besides the handle.")],
    role: Annotated[Role, typer.Option(help="What the person may do.")] = Role.MEMBER,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
) -> None:
    """Make an account, of any role."""
    if password_stdin:
        password = sys.stdin.readline().rstrip("\n")
    else:
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    try:
        body = UserCreate(handle=handle, email=email, password=password)
    except ValidationError as error:
        raise SettingsError(_list_faults(error, str)) from error

    async def create(uow: UnitOfWork) -> str:
        user = await register(uow, body, role=role)
        return f"{user.handle} is a {user.role} now."

    typer.echo(_run_in_transaction(create))


@app.command()
def doctor() -> None:
    """Check the settings, the database, its schema and Redis, and say what to do."""
    settings = load_settings()
    with engines_of(settings, migrated=False) as connected:
        findings = asyncio.run(diagnose(connected, migrates_itself=settings.embeds_postgres))
    for finding in findings:
        typer.secho(
            f"{'ok  ' if finding.is_fine else 'FAIL'}  {finding.subject}: {finding.message}",
            fg=None if finding.is_fine else "red",
        )
    if not all(finding.is_fine for finding in findings):
        raise typer.Exit(1)


def load_settings(**fixed: Any) -> Settings:
    """Read the environment, but for what is fixed, and set the logs up. Raises SettingsError."""
    try:
        settings = Settings(**fixed)
    except ValidationError as error:
        raise SettingsError(_list_faults(error, name_variable)) from error
    configure_logging(settings)
    return settings


def _list_faults(error: ValidationError, to_name: Callable[[str], str]) -> str:
    """Return what is wrong with which value, each by the name that the operator knows it by."""
    return "; ".join(
        f"{to_name(str(fault['loc'][0]))}: {fault['msg'].removeprefix('Value error, ')}"
        for fault in error.errors()
    )


@contextmanager
def engines_of(settings: Settings, *, migrated: bool = True) -> Iterator[Settings]:
    """Start the engines that no variable names, and yield the settings with their addresses.

    An embedded database is brought to the newest schema. Raises EngineStartError.
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
            # Nobody else uses this database, so the secret may live beside it.
            connected["secret_key"] = settings.secret_key or keep_secret(settings.data_dir)
            if migrated:
                _migrate(str(engines.database_url))
        yield settings.model_copy(update=connected)


def _migrate(database_url: str) -> None:
    """Bring the database to the newest schema. Raises DatabaseUnavailable or SettingsError."""
    try:
        with unavailable_when_away():
            migrate_database(database_url)
    except CommandError as error:
        raise SettingsError(f"The database is of another release: {error}.") from error


def _greet(settings: Settings, url: str) -> str:
    data = (
        f"Data lies in {settings.data_dir.resolve()}"
        if settings.embeds_postgres
        else "Data lies in the PostgreSQL of PALAVER_DATABASE_URL"
    )
    return f"Palaver serves on {url}  (docs: {url}/docs)\n{data}"


def _run(settings: Settings, work: Callable[[Services], Coroutine[Any, Any, None]]) -> None:
    async def run(connected: Settings) -> None:
        async with services_of(connected) as services:
            await work(services)

    with engines_of(settings) as connected:
        asyncio.run(run(connected))


def _run_in_transaction(work: Callable[[UnitOfWork], Coroutine[Any, Any, str]]) -> str:
    """Carry out one unit of work."""

    async def run(connected: Settings) -> str:
        async with services_of(connected) as services, services.unit_of_work() as uow:
            return await work(uow)

    with engines_of(load_settings()) as connected:
        return asyncio.run(run(connected))


@asynccontextmanager
async def services_of(settings: Settings) -> AsyncIterator[Services]:
    """Connect for as long as the block lasts."""
    services = make_services(settings)
    try:
        yield services
    finally:
        await services.close()
