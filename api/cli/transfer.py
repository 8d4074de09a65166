"""`palaver import`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from api.cli.environment import run_in_transaction
from api.kit.db.unit_of_work import UnitOfWork
from api.transfer.service import ImportReport, import_thread
from api.transfer.thread_file import parse_thread_file


def import_file(
    file: Annotated[Path, typer.Argument(help="A thread file (docs/import.md).")],
) -> None:
    """Import a thread. Safe to repeat: what exists already is left as it is."""
    thread = parse_thread_file(file)
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("Importing", total=len(thread.comments))

        async def store(uow: UnitOfWork) -> ImportReport:
            return await import_thread(uow, thread, lambda: progress.advance(task))

        report = run_in_transaction(store)
    held = f", {report.held} of the added ones wait for a moderator" if report.held else ""
    typer.echo(
        f"{report.added} comments added, {report.known} were there already{held}. "
        f"Read them at /v1/articles/{report.slug}/comments"
    )
