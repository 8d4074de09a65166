"""The HTTP server of one process: how it starts, prints its address, and shuts down."""

import asyncio
import functools
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

import typer
import uvicorn
from fastapi import FastAPI

from api.kit.http.connections import Connection, Connections
from api.kit.links import make_base_url
from api.kit.memory import freeze_startup_objects
from api.kit.metrics import CONNECTIONS
from api.kit.redis.client import MAX_CONNECTIONS as REDIS_CONNECTIONS
from api.kit.settings import Settings, SettingsError

if sys.platform != "win32":
    import resource

# Seconds that running requests get after SIGTERM. With the rest of a shutdown it stays below the
# 15 s after which orchestrators kill.
GRACE = 12
# Open files that are neither connections of clients nor of the pools: listener, logs, wheels'
# data, the event loop's own; and room for connections that are being closed.
_RESERVED_FILES = 64
_MIN_CONNECTIONS = 16


class Server(uvicorn.Server):
    """uvicorn with bounded connections; `/readyz` turns 503 with the signal to shut down."""

    def __init__(self, app: FastAPI, greeting: str, settings: Settings) -> None:
        self._connections = make_connections(settings)
        protocol = functools.partial(
            Connection, connections=self._connections, timeout=settings.request_timeout
        )
        super().__init__(
            uvicorn.Config(
                app,
                http=protocol,  # type: ignore[arg-type]  # uvicorn calls it, as it would a class
                ws="none",
                lifespan="on",
                log_config=None,
                # It warns of every invalid request; api.kit.http.connections logs those.
                log_level="error",
                access_log=False,
                server_header=False,
                # Client addresses come from api.kit.http.client_address (decision 0023).
                proxy_headers=False,
                timeout_graceful_shutdown=GRACE,
            )
        )
        self._app = app
        self._greeting = greeting
        self._checks: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and print the greeting."""
        await super().startup(sockets)
        CONNECTIONS.set_function(self._connections.__len__)
        self._checks = asyncio.create_task(self._check_progress())
        freeze_startup_objects()
        typer.echo(self._greeting)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close idle connections, let running requests end, and stop."""
        await super().shutdown(sockets)
        if self._checks is not None:
            self._checks.cancel()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to shut down: `/readyz` answers 503 from now on."""
        self._app.state.draining = True
        super().handle_exit(sig, frame)

    async def _check_progress(self) -> None:
        while True:
            await asyncio.sleep(1)
            self._connections.check_progress()


def fit_open_files(settings: Settings) -> Settings:
    """Return the settings with fewer connections where the limit of open files wants that.

    Raises SettingsError when that leaves room for almost none.
    """
    if sys.platform == "win32":
        return settings
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return settings
    needed = _RESERVED_FILES + 2 * settings.database_pool_size + REDIS_CONNECTIONS
    total = min(settings.max_connections, limit - needed)
    if total < _MIN_CONNECTIONS:
        raise SettingsError(
            f"A process may open {limit} files, and needs {needed} of them for itself. "
            f"Raise the limit (ulimit -n) to at least {needed + _MIN_CONNECTIONS}."
        )
    return settings.model_copy(update={"max_connections": total})


def make_connections(settings: Settings) -> Connections:
    """Return the bounds of the settings."""
    return Connections(
        total=settings.max_connections,
        per_address=settings.max_connections_per_address,
        trusted=settings.trusted_proxies,
    )


@contextmanager
def listening(settings: Settings) -> Iterator[socket.socket]:
    """Hold the address of the settings. Raises SettingsError when it is not available."""
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
    """Return the URL at which a browser on this machine reaches the server."""
    host, port = listener.getsockname()[:2]
    return make_base_url(host, port)


def run_server(app: FastAPI, listener: socket.socket, greeting: str, settings: Settings) -> None:
    """Serve until a signal, which is then raised again; except Ctrl-C, the usual way to stop."""
    with suppress(KeyboardInterrupt):
        Server(app, greeting, settings).run(sockets=[listener])
