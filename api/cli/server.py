"""The HTTP server of one process: how it starts, says where it is, and leaves."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

import typer
import uvicorn
from fastapi import FastAPI

from api.kit.settings import Settings, SettingsError

# Seconds that requests under way get after SIGTERM; with the rest of a shutdown it stays below the
# 15 s after which orchestrators kill.
GRACE = 12
# A server that listens everywhere is found at home.
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - looked up, not bound


class Server(uvicorn.Server):
    """Uvicorn, whose readiness ends with the signal and not with the last request."""

    def __init__(self, app: FastAPI, greeting: str) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http="httptools",
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                # Addresses behind proxies are our own business: api.kit.http.client_address.
                proxy_headers=False,
                timeout_graceful_shutdown=GRACE,
            )
        )
        self._app = app
        self._greeting = greeting

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say where to go."""
        await super().startup(sockets)
        typer.echo(self._greeting)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to leave: `/readyz` says no from now on."""
        self._app.state.draining = True
        super().handle_exit(sig, frame)


@contextmanager
def listening(settings: Settings) -> Iterator[socket.socket]:
    """Hold the address that the settings name. Raises SettingsError when it cannot be had."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        listener = socket.create_server((settings.host, settings.port), family=family)
    except OSError as error:
        raise SettingsError(
            f"Cannot listen on {settings.host}:{settings.port}: {error.strerror}. "
            "Choose another address with --host and --port (or PALAVER_HOST and PALAVER_PORT), or "
            "stop what listens there."
        ) from error
    with listener:
        yield listener


def url_of(listener: socket.socket) -> str:
    """Return where a browser on this machine finds the server."""
    host, port = listener.getsockname()[:2]
    host = _ANYWHERE.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run_server(app: FastAPI, listener: socket.socket, greeting: str) -> None:
    """Serve until a signal, which is then raised again; Ctrl-C is the ordinary end, and is not."""
    with suppress(KeyboardInterrupt):
        Server(app, greeting).run(sockets=[listener])
