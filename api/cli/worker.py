"""`palaver worker`."""

import typer

from api.cli.environment import load_settings, run_with_services
from api.worker import run_until_stopped


def work() -> None:
    """Carry out what follows from committed events, until stopped."""
    run_with_services(load_settings(), run_until_stopped)
    typer.echo("The worker has stopped.")
