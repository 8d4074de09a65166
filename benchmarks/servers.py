"""The servers that are measured, each a process of its own on a free port of this machine."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import psutil

from benchmarks.engines import DATA_DIR, Engines

SECRET = "the secret of benchmarks, which guards nothing"
HOST = "127.0.0.1"
_START_SECONDS = 30.0
_STOP_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Pinning:
    """Which cores servers and load are kept on; None where they are not."""

    server: int | None
    load: int | None

    @classmethod
    def choose(cls) -> "Pinning":
        """Keep them apart where there are two cores and a `taskset`; the engines go anywhere."""
        cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
        if len(cores) < 2 or shutil.which("taskset") is None:
            return cls(None, None)
        return cls(cores[0], cores[1])

    def describe(self) -> str:
        """Return what a reader of the results should know."""
        if self.server is None:
            return "nothing pinned"
        return f"servers on core {self.server}, load on core {self.load}, engines unpinned"


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs."""

    name: str
    port: int
    process: psutil.Popen
    log: Path

    @property
    def resident_bytes(self) -> int:
        """Return what the process holds in memory."""
        return int(self.process.memory_info().rss)

    @property
    def cpu_seconds(self) -> float:
        """Return the processor time that it has used."""
        times = self.process.cpu_times()
        return float(times.user + times.system)


def service_environment(engines: Engines) -> dict[str, str]:
    """Return the settings of the service as it is measured."""
    return {
        "PALAVER_DATABASE_URL": engines.database_url,
        "PALAVER_REDIS_URL": engines.redis_url,
        "PALAVER_SECRET_KEY": SECRET,
        "PALAVER_RATE_LIMITS_ENABLED": "false",
        "PALAVER_LOG_LEVEL": "warning",
        # Webhooks lead to this machine.
        "PALAVER_OUTGOING_ALLOW_PRIVATE": "true",
    }


def pin(command: Sequence[str], core: int | None) -> list[str]:
    """Return the command, kept on a core where there is one to keep it on."""
    return [*command] if core is None else ["taskset", "-c", str(core), *command]


@contextmanager
def serving_palaver(
    engines: Engines, core: int | None, name: str = "service", **settings: str
) -> Iterator[Server]:
    """Run one process of the service as an operator would; `settings` are further variables."""
    command = [str(Path(sys.executable).with_name("palaver")), "serve"]
    environment = service_environment(engines) | settings
    with _running(name, command, environment, core=core) as server:
        yield server


@contextmanager
def running_worker(engines: Engines) -> Iterator[None]:
    """Run the worker, which carries out what follows from writes."""
    command = [str(Path(sys.executable).with_name("palaver")), "worker"]
    with _running("worker", command, service_environment(engines), core=None, listens=False):
        yield


@contextmanager
def serving_module(
    module: str, settings: dict[str, str], core: int | None, argument: str
) -> Iterator[Server]:
    """Run one of the servers in this package; `argument` is the one that its main takes."""
    command = [sys.executable, "-m", f"benchmarks.{module}", argument]
    with _running(module, command, settings, core=core) as server:
        yield server


@contextmanager
def _running(
    name: str,
    command: Sequence[str],
    settings: dict[str, str],
    *,
    core: int | None,
    listens: bool = True,
) -> Iterator[Server]:
    """Run a server until the block ends. Raises RuntimeError with its last words."""
    port = _find_free_port()
    log = DATA_DIR / f"{name}.log"
    # What stands in the shell must not lead a server elsewhere.
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PALAVER_")}
    environment = {**kept, **settings, "PALAVER_HOST": HOST, "PALAVER_PORT": str(port)}
    with log.open("wb") as output:
        process = psutil.Popen(
            pin(command, core),
            env=environment,
            cwd=Path(__file__).parent.parent,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    server = Server(name, port, process, log)
    try:
        if listens:
            _wait_until_answering(server)
        yield server
    finally:
        _stop(process)


def _find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _wait_until_answering(server: Server) -> None:
    """Wait for a response, of any status: a socket may listen before its application does."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and server.process.poll() is None:
        connection = HTTPConnection(HOST, server.port, timeout=_START_SECONDS)
        with suppress(OSError, HTTPException), closing(connection):
            connection.request("GET", "/livez")
            connection.getresponse().read()
            return
        time.sleep(0.05)
    last = "\n".join(server.log.read_text(errors="replace").splitlines()[-8:])
    raise RuntimeError(f"{server.name} did not start:\n{last}")


def _stop(process: psutil.Popen) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(_STOP_SECONDS)
