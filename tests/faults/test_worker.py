"""A worker killed at any moment: each delivery is made at least once, and none is missing."""

import asyncio
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from uuid import UUID

import asyncpg

from tests.client import Client
from tests.connections import connect_arguments
from tests.faults.looking import wait_until_relayed
from tests.faults.servers import ROOT, SECRET, Engine

# Each makes four deliveries. The whole claim is tested with PALAVER_FAULT_EVENTS=10000 (a minute).
EVENTS = int(os.environ.get("PALAVER_FAULT_EVENTS", "600"))
# Where the worker kills itself, each time after so many deliveries.
MOMENTS = ("before it is sent", "after it was sent", "before it is noted")
# A worker in which consumers write down each user whose event they got, and which kills itself.
WORKER = """
import asyncio, os, signal, sys
from api.cli.environment import load_settings
from api.kit.effects import BatchConsumer, Consumer, Effect, EffectTable, TargetedConsumer
from api.main import make_services
from api.users.events import UserRegistered
from api.worker import run_worker

file = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
moment, left = sys.argv[2], int(sys.argv[3])

def die():
    os.kill(os.getpid(), signal.SIGKILL)

async def send(line):
    global left
    left -= 1
    is_last = left == 0
    await asyncio.sleep(0)
    if is_last and moment == "before it is sent":
        die()
    os.write(file, line.encode())
    if is_last and moment == "after it was sent":
        die()
    if is_last and moment == "before it is noted":
        # After the handler has returned, and before the transaction that notes it.
        asyncio.get_running_loop().call_soon(die)

async def note(services, event):
    await send(f"one {event.user_id}\\n")

async def note_all(services, events):
    for event in events:
        await send(f"batch {event.user_id}\\n")

async def find_targets(session, event):
    return ("a", "b")

async def note_for(services, event, target):
    await send(f"{target} {event.user_id}\\n")

effects = EffectTable([Effect(event=UserRegistered, by_worker=(
    Consumer(name="one", event=UserRegistered, deliver=note, concurrency=20),
    BatchConsumer(name="batch", event=UserRegistered, deliver=note_all, batch_size=100),
    TargetedConsumer(name="targeted", event=UserRegistered, find_targets=find_targets,
                     deliver=note_for, concurrency=40, per_target=20),
))])
asyncio.run(run_worker(make_services(load_settings()), effects, ()))
"""


async def ask(postgres: Engine, statement: str, rows: list[tuple[str, ...]] | None = None) -> None:
    """Execute a statement on a connection of its own: the server is restarted."""
    connection = await asyncpg.connect(**connect_arguments(postgres.url))
    await connection.executemany(statement, [()] if rows is None else rows)
    await connection.close()


async def test_a_worker_killed_at_any_moment_misses_nothing(
    forum: Client, folder: Path, postgres: Engine, valkey: Engine
) -> None:
    people = [UUID(int=number) for number in range(EVENTS)]
    insert = "INSERT INTO events (type, payload, created_at) VALUES ('user_registered', $1, now())"
    await ask(postgres, insert, [(json.dumps({"user_id": str(one)}),) for one in people])
    done = folder / "delivered.txt"
    variables = {
        "PALAVER_DATABASE_URL": postgres.url,
        "PALAVER_REDIS_URL": valkey.url,
        "PALAVER_SECRET_KEY": SECRET,
    }

    def start(moment: str = "never", after: int = 0) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-c", WORKER, str(done), moment, str(after)],
            cwd=ROOT,
            env={**{k: v for k, v in os.environ.items() if "PALAVER" not in k}, **variables},
        )

    for moment in MOMENTS:
        process = start(moment, EVENTS // 5)
        try:
            await asyncio.to_thread(process.wait, 60)
        finally:
            process.kill()
        # The leases of the dead are over; otherwise each round would take ten seconds.
        await ask(postgres, "UPDATE deliveries SET due_at = now()")
    assert len(done.read_text().splitlines()) < 4 * EVENTS, "it was killed too late"
    process = start()
    try:
        for engine in (postgres, valkey):
            await asyncio.to_thread(engine.stop)
            await asyncio.to_thread(engine.start)
        await wait_until_relayed(postgres)
    finally:
        process.kill()
        process.wait()
    made = Counter(done.read_text().splitlines())
    assert set(made) == {f"{name} {one}" for name in ("one", "batch", "a", "b") for one in people}
    done.unlink()
