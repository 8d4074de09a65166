"""`palaver serve`."""

from typing import Annotated, Any

import typer

from api.cli.environment import describe_mail, load_settings, running_engines
from api.cli.server import fit_open_files, listening, run_server, url_of
from api.kit.memory import keep_memory_small
from api.kit.settings import Settings
from api.main import create_app, make_services
from api.worker import run_worker


def serve(
    host: Annotated[
        str | None, typer.Option(help="Address to listen on, instead of PALAVER_HOST.")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(help="Port to listen on, instead of PALAVER_PORT; 0 takes a free one."),
    ] = None,
) -> None:
    """Serve the API. Engines that no variable names are started here, and the worker with them."""
    keep_memory_small()
    chosen: dict[str, Any] = {"host": host, "port": port}
    settings = load_settings(**{name: value for name, value in chosen.items() if value is not None})
    data = _name_data(settings)
    mail = describe_mail(settings)
    with listening(settings) as listener, running_engines(settings) as connected:
        background_task = run_worker if settings.embeds_postgres else None
        url = url_of(listener)
        fitting = fit_open_files(connected)
        addressed = fitting.model_copy(update={"public_url": connected.public_url or url})
        application = create_app(make_services(addressed), background_task=background_task)
        greeting = f"Palaver serves on {url}  (docs: {url}/docs)\n{data}\n{mail}"
        run_server(application, listener, greeting, fitting)
    typer.echo(f"Palaver has stopped. {data}")


def _name_data(settings: Settings) -> str:
    if settings.embeds_postgres:
        return f"The data is in {settings.data_dir.resolve()}"
    return "The data is in the PostgreSQL of PALAVER_DATABASE_URL"
