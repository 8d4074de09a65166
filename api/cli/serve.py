"""`palaver serve`."""

from api.cli.environment import load_settings, running_engines
from api.cli.server import listening, run_server, url_of
from api.kit.memory import keep_memory_small
from api.kit.settings import Settings
from api.main import create_app, make_services
from api.worker import run_worker


def serve() -> None:
    """Serve the API. Engines that no variable names are started here, and the worker with them."""
    keep_memory_small()
    settings = load_settings()
    with listening(settings) as listener, running_engines(settings) as connected:
        background_task = run_worker if settings.embeds_postgres else None
        application = create_app(make_services(connected), background_task=background_task)
        run_server(application, listener, _greet(settings, url_of(listener)))


def _greet(settings: Settings, url: str) -> str:
    data = (
        f"Data lies in {settings.data_dir.resolve()}"
        if settings.embeds_postgres
        else "Data lies in the PostgreSQL of PALAVER_DATABASE_URL"
    )
    return f"Palaver serves on {url}  (docs: {url}/docs)\n{data}"
