"""The embedded servers' processes: which programs, under which account, how they start and stop.

As root: PostgreSQL refuses to run as root, so the servers run as the owner of their data, which for
a new folder is the system account "palaver" (no shell, no home; made when missing). It must reach
the folder and the programs: the folders above them are opened for traversal (o+x, never for
listing) and the programs for reading, where they are not, and each change is logged.
"""

import contextlib
import importlib.util
import os
import platform
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import structlog

if sys.platform != "win32":
    import pwd

    # SIGINT is PostgreSQL's fast shutdown (clients are disconnected) and Valkey's orderly one;
    # SIGQUIT is PostgreSQL's immediate one, after which the next start recovers from its log.
    STOP_STEPS = ((signal.SIGINT, 60.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0))

ACCOUNT = "palaver"
START_SECONDS = 60.0  # PostgreSQL may have to recover from a crash first
LOG_LINES = 12
READ_AND_RUN = stat.S_IROTH | stat.S_IXOTH

log = structlog.get_logger(__name__)

# The servers that this process started, which it has to reap.
_started: dict[int, "subprocess.Popen[bytes]"] = {}


class EngineStartError(RuntimeError):
    """A server could not be started or reached; the message says why and what to do."""


class Account(NamedTuple):
    """The account that the servers run as."""

    uid: int
    gid: int


def find_program(package: str, pattern: str) -> Path:
    """Return the program at `pattern`, three levels deep in an installed package."""
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for path in Path(folder).glob(pattern):
            return path
    raise EngineStartError(
        f"The package {package} brings no {pattern} for {platform.system()} {platform.machine()}. "
        "Set PALAVER_DATABASE_URL and PALAVER_REDIS_URL to servers of your own."
    )


def choose_account(data: Path) -> Account:
    """Return the account that the servers run as when we are root."""
    if data.exists() and data.stat().st_uid != 0:
        return Account(data.stat().st_uid, data.stat().st_gid)
    output = ""
    for _ in range(3):  # another process may be making it, and hold the lock of /etc/passwd
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(ACCOUNT)
            return Account(entry.pw_uid, entry.pw_gid)
        log.warning("system_account_made", account=ACCOUNT)
        options = ("--system", "--no-create-home", "--shell", "/usr/sbin/nologin")
        _, output = run(["useradd", *options, ACCOUNT])
    raise EngineStartError(
        f"PostgreSQL refuses to run as root, and the account {ACCOUNT!r} could not be made: "
        f"{output} Make it, or run as an ordinary user."
    )


def open_paths(folder: Path, programs: Sequence[Path], account: Account) -> None:
    """Let the account reach the folder and the programs; log what had to be changed for it."""
    packages = [program.parents[2] for program in programs]
    for start in (folder, *(package.parent for package in packages)):
        for path in (start, *start.parents):
            status = path.stat()
            needed = stat.S_IXUSR if status.st_uid == account.uid else stat.S_IXOTH
            if not status.st_mode & needed:
                path.chmod(status.st_mode | needed)
                log.warning("folder_opened_for_traversal", folder=str(path))
    for program, package in zip(programs, packages, strict=True):
        if program.stat().st_mode & READ_AND_RUN == READ_AND_RUN:
            continue  # the package was not installed under a narrow umask
        for tree in (package, package.with_name(f"{package.name}.libs")):
            for path in (tree, *tree.rglob("*")) if tree.exists() else ():
                mode = path.stat().st_mode
                path.chmod(mode | mode >> 6 & READ_AND_RUN)  # what the owner may, others may
        log.warning("programs_opened_for_reading", package=str(package))


def start_server(
    command: Sequence[str | Path],
    *,
    log_path: Path,
    account: Account,
    is_ready: Callable[[], bool],
) -> None:
    """Start a server and wait until it is ready. It outlives this process unless it is stopped.

    It has a session of its own, so that Ctrl-C in the terminal does not reach it. Its working
    directory is the folder of its log, unless it changes it. Raises EngineStartError.
    """
    if log_path.exists():
        log_path.replace(log_path.with_suffix(".previous.log"))
    with log_path.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603  # programs and arguments are this package's own
            command,
            cwd=log_path.parent,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **_child_options(account),
        )
    _started[process.pid] = process
    try:
        _wait_until_ready(process, log_path, is_ready)
    except BaseException:  # Ctrl-C as well
        if process.poll() is None:
            stop(psutil.Process(process.pid))
        raise


def _wait_until_ready(
    process: "subprocess.Popen[bytes]", log_path: Path, is_ready: Callable[[], bool]
) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not is_ready():
        code = process.poll()
        if code is not None or time.monotonic() > deadline:
            reason = "took too long to be ready" if code is None else f"ended with code {code}"
            last = "\n  ".join(log_path.read_text(errors="replace").splitlines()[-LOG_LINES:])
            raise EngineStartError(
                f"{log_path.stem} {reason}. {advise(log_path.parent)} "
                f"The end of {log_path}:\n  {last}"
            )
        time.sleep(0.02)


def stop(process: psutil.Process) -> None:
    """End a server gently, then less so; return when it has ended."""
    with contextlib.suppress(psutil.NoSuchProcess):
        for signum, seconds in STOP_STEPS:
            process.send_signal(signum)
            process.send_signal(signal.SIGCONT)  # a stopped one receives nothing else but SIGKILL
            if wait_until_ended([process], seconds):
                break
            log.warning("server_not_ended", pid=process.pid, signal=signum.name, seconds=seconds)
    child = _started.pop(process.pid, None)
    if child is not None:
        child.wait()


def wait_until_ended(processes: Sequence[psutil.Process], seconds: float) -> bool:
    """Return whether all have ended in time.

    A zombie counts as ended: a process whose parent was killed is reaped late, or never in many
    containers, so psutil's own `wait_procs` would wait for it in vain.
    """
    deadline = time.monotonic() + seconds
    while not all(_has_ended(process) for process in processes):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def _has_ended(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def run_or_fail(command: Sequence[str | Path], account: Account, *, text: str = "") -> None:
    """Run a program to its end; raise OSError with its output when it fails."""
    code, output = run(command, account, text=text)
    if code != 0:
        raise OSError(f"{Path(command[0]).name} failed: {output.strip()}")


def run(
    command: Sequence[str | Path], account: Account | None = None, *, text: str = ""
) -> tuple[int, str]:
    """Run a program to its end, with `text` as its input; return its exit code and its output."""
    done = subprocess.run(  # noqa: S603  # programs and arguments are this package's own
        command,
        input=text,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=START_SECONDS,
        check=False,
        cwd="/",  # ours may be closed to the account
        **_child_options(account),
    )
    return done.returncode, done.stdout


def _child_options(account: Account | None) -> dict[str, Any]:
    """Switch to the account when we are root, and drop PGPORT, PGOPTIONS and the like."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    options: dict[str, Any] = {"env": environment | {"LC_ALL": "C"}, "umask": 0o077}
    if account is not None and os.geteuid() == 0:
        options |= {"user": account.uid, "group": account.gid, "extra_groups": []}
    return options


def advise(folder: Path) -> str:
    """Return what most often explains a failed start, and what to do."""
    existing = next(path for path in (folder, *folder.parents) if os.access(path, os.F_OK))
    return (
        f"The disk has {shutil.disk_usage(existing).free // 2**20} MiB free; {existing} belongs to "
        f"uid {existing.stat().st_uid}, and this process is uid {os.geteuid()}. Make room, choose "
        "another data folder, or run as its owner; or set PALAVER_DATABASE_URL and "
        "PALAVER_REDIS_URL to servers of your own."
    )
