"""The command `palaver`, as an operator runs it, on the tests' engines."""

import asyncio
import io
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from api.cli import environment
from api.cli.main import main
from tests.migrating import make_database

SECRET = "a secret for the command, long enough"


@dataclass(frozen=True)
class Outcome:
    """What a command came to."""

    code: int
    out: str
    err: str


Run = Callable[..., Awaitable[Outcome]]


@pytest.fixture
def palaver(
    database_url: str, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Run:
    """Return how to run the command: `await palaver("doctor", PALAVER_PORT="7")`.

    It runs in a thread, which has an event loop of its own, since a process takes seconds to start.
    A variable of None is unset.
    """
    for name in os.environ:
        if name.startswith("PALAVER_"):
            monkeypatch.delenv(name)
    # It would bind loggers to a stream that is gone after the test.
    monkeypatch.setattr(environment, "configure_logging", lambda _: None)

    async def run(*arguments: str, stdin: str = "", **variables: str | None) -> Outcome:
        known = {
            "PALAVER_DATABASE_URL": database_url,
            "PALAVER_REDIS_URL": redis_url,
            "PALAVER_SECRET_KEY": SECRET,
            "PALAVER_DATA_DIR": str(tmp_path / "data"),
        }
        out, err = io.StringIO(), io.StringIO()
        with monkeypatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            for name, value in (known | variables).items():
                if value is not None:
                    patch.setenv(name, value)
            patch.setattr(sys, "argv", ["palaver", *arguments])
            patch.setattr(sys, "stdin", io.StringIO(stdin))
            code = await asyncio.to_thread(_run_main)
        return Outcome(code, out.getvalue(), err.getvalue())

    return run


def _run_main() -> int:
    with pytest.raises(SystemExit) as caught:
        main()
    return int(caught.value.code or 0)


@pytest.fixture
async def empty_database(database_url: str, worker_name: str) -> AsyncIterator[str]:
    """The URL of a database without any table."""
    async with make_database(database_url, f"palaver_empty_{worker_name}") as url:
        yield url
