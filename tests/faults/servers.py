"""Servers that a test may stop, freeze and kill: the engines, and Palaver's own processes."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import httpx
import psutil

from api.embedded import engines as embedded
from tests.waiting import PATIENCE, block_until

PROGRAM = [sys.executable, "-c", "from api.cli.main import main; main()"]
ROOT = Path(__file__).parents[2]
SECRET = "a secret for the tests, long enough"


class Engine:
    """A PostgreSQL or a Valkey with a folder of its own, always on the same socket."""

    def __init__(self, folder: Path, *, is_postgres: bool) -> None:
        self._folder = folder
        self._is_postgres = is_postgres
        self._running = ExitStack()
        self.url = ""

    def start(self) -> None:
        # In a thread it takes over no signals, which it could give back in the main thread only.
        run_apart(self._start)

    def _start(self) -> None:
        engines = self._running.enter_context(
            embedded.running(self._folder, postgres=self._is_postgres, valkey=not self._is_postgres)
        )
        self.url = engines.database_url or engines.redis_url or ""

    def stop(self) -> None:
        """End it as an operator does: who is connected is cut off."""
        self._running.close()

    def kill(self) -> None:
        self._find_process().kill()

    def freeze(self) -> None:
        self._find_process().suspend()

    def thaw(self) -> None:
        self._find_process().resume()

    def _find_process(self) -> psutil.Process:
        for process in psutil.process_iter(["name", "cwd"]):
            where = process.info["cwd"]
            is_ours = where is not None and Path(where).is_relative_to(self._folder)
            if is_ours and process.info["name"] == "valkey-server":
                return process
        raise AssertionError("it does not run")


class Palaver:
    """`palaver serve` or `palaver worker` in a process of its own, on engines that we started."""

    def __init__(
        self,
        command: str,
        port: int,
        log: Path,
        variables: dict[str, str],
        *,
        open_files: int | None = None,
    ) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.log = log
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("PALAVER_")}
        program = [*PROGRAM, command]
        if open_files is not None:
            program = ["sh", "-c", f'ulimit -n {open_files} && exec "$@"', "sh", *program]
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                program,
                cwd=ROOT,
                env={
                    **inherited,
                    "PALAVER_PORT": str(port),
                    "PALAVER_SECRET_KEY": SECRET,
                    "PALAVER_RATE_LIMITS_ENABLED": "false",
                    "PALAVER_LOG_FORMAT": "json",
                    **variables,
                },
                stdout=output,
                stderr=output,
            )

    def wait_until_alive(self) -> None:
        with httpx.Client(trust_env=False) as http:

            def is_alive() -> bool:
                assert self.process.poll() is None, self.log.read_text()
                with suppress(httpx.TransportError):
                    return http.get(f"{self.url}/livez").status_code == 200
                return False

            block_until(is_alive, pause=0.05)

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def leave(self) -> int:
        """Ask it to end; return how it did. Raises subprocess.TimeoutExpired."""
        self.terminate()
        return self.process.wait(PATIENCE)


def find_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def run_apart(work: Callable[[], None]) -> None:
    """Do something in a thread of its own, to its end."""
    with ThreadPoolExecutor(1) as executor:
        executor.submit(work).result()


@contextmanager
def running(
    command: str,
    folder: Path,
    postgres: Engine,
    valkey: Engine,
    *,
    port: int = 0,
    open_files: int | None = None,
    **options: str,
) -> Iterator[Palaver]:
    """Run a process of Palaver for as long as the block lasts; `options` are further settings.

    It can open at most `open_files` files, the same limit as the tests' own when None.
    """
    variables = {f"PALAVER_{name.upper()}": value for name, value in options.items()}
    variables |= {"PALAVER_DATABASE_URL": postgres.url, "PALAVER_REDIS_URL": valkey.url}
    log = folder / f"{command}.log"
    palaver = Palaver(command, port or find_port(), log, variables, open_files=open_files)
    try:
        if command == "serve":
            palaver.wait_until_alive()
        yield palaver
    finally:
        if palaver.process.poll() is None:
            palaver.kill()
