"""The HTTP server of one process: how it starts, says where it is, and leaves."""

import socket
from types import FrameType

import typer
import uvicorn
from fastapi import FastAPI

from api.kit.settings import Settings, SettingsError

# Seconds that requests under way get after SIGTERM; with the rest of a shutdown it stays below the
# 15 s after which orchestrators kill.
GRACE = 12


class Server(uvicorn.Server):
    """Uvicorn, whose readiness ends with the signal and not with the last request."""

    def __init__(self, app: FastAPI, settings: Settings, greeting: str) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                host=settings.host,
                port=settings.port,
                http="httptools",
                log_config=None,
                access_log=False,
                server_header=False,
                # Addresses behind proxies are our own business: api.kit.client_address.
                proxy_headers=False,
                timeout_graceful_shutdown=GRACE,
            )
        )
        self._app = app
        self._greeting = greeting

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say where to go."""
        await super().startup(sockets)
        if self.started:
            typer.echo(self._greeting)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to leave: `/readyz` says no from now on."""
        self._app.state.draining = True
        super().handle_exit(sig, frame)


def run_server(app: FastAPI, settings: Settings, greeting: str) -> None:
    """Serve until a signal. Raises SettingsError when the address cannot be had."""
    with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise SettingsError(
                f"Cannot listen on {settings.host}:{settings.port}: {error.strerror}. "
                "Set PALAVER_HOST or PALAVER_PORT, or stop what listens there."
            ) from error
    Server(app, settings, greeting).run()
