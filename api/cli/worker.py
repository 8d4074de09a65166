"""`palaver worker`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from prometheus_client import start_http_server

from api.cli.environment import load_settings, run_with_services
from api.kit.settings import SettingsError
from api.worker import run_until_stopped


def work(
    metrics_port: Annotated[
        int | None, typer.Option(help="Serve /metrics on this port.", min=1, max=65535)
    ] = None,
    metrics_host: Annotated[str, typer.Option(help="Address to serve it on.")] = "127.0.0.1",
) -> None:
    """Carry out what follows from committed events, until stopped."""
    settings = load_settings()
    with serving_metrics(metrics_host, metrics_port):
        run_with_services(settings, run_until_stopped)
    typer.echo("The worker has stopped.")


@contextmanager
def serving_metrics(host: str, port: int | None) -> Iterator[None]:
    """Serve this process's metrics while the block runs, if a port is given.

    Raises SettingsError when it cannot be used.
    """
    if port is None:
        yield
        return
    try:
        server, thread = start_http_server(port, host)
    except OSError as error:
        raise SettingsError(f"cannot serve metrics on {host}:{port}: {error}") from error
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
