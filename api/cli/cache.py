"""`palaver cache`."""

import typer

from api.cli.environment import load_settings, run_with_services
from api.kit.db.epoch import SETTLE, VALID, reset_epoch
from api.kit.services import Services

app = typer.Typer(help="Manage what is cached.", no_args_is_help=True)


@app.command()
def reset() -> None:
    """Invalidate all cached pages and entity tags; run it after a restore from a backup."""
    run_with_services(load_settings(), _reset)
    typer.echo(
        f"Every process notices within {VALID} seconds, without a restart, and caches again "
        f"after {SETTLE} seconds."
    )


async def _reset(services: Services) -> None:
    await reset_epoch(services.database)
