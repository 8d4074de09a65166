"""A worker killed at any moment: each delivery is made at least once, and none is missing."""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import asyncpg

from tests.client import Client
from tests.connections import connect_arguments
from tests.faults.looking import wait_until_relayed
from tests.faults.servers import ROOT, SECRET, Engine

EVENTS = 2000
KILLS = 5
# A worker in which two consumers write down each user whose event they got.
WORKER = """
import asyncio, os, sys
from api.cli.environment import load_settings
from api.kit.effects import BatchConsumer, Consumer, Effect, EffectTable
from api.main import make_services
from api.users.events import UserRegistered
from api.worker import run_worker

file = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT)

async def note(services, event):
    await asyncio.sleep(0)
    os.write(file, f"one {event.user_id}\\n".encode())

async def note_all(services, events):
    for event in events:
        await asyncio.sleep(0)
        os.write(file, f"batch {event.user_id}\\n".encode())

effects = EffectTable([Effect(event=UserRegistered, by_worker=(
    Consumer(name="one", event=UserRegistered, deliver=note, concurrency=20),
    BatchConsumer(name="batch", event=UserRegistered, deliver=note_all, batch_size=100),
))])
asyncio.run(run_worker(make_services(load_settings()), effects, ()))
"""


async def test_a_worker_killed_at_any_moment_misses_nothing(
    forum: Client, folder: Path, postgres: Engine, valkey: Engine
) -> None:
    connection = await asyncpg.connect(**connect_arguments(postgres.url))
    await connection.executemany(
        "INSERT INTO events (type, payload, created_at) VALUES ('user_registered', $1, now())",
        [(json.dumps({"user_id": str(UUID(int=number))}),) for number in range(EVENTS)],
    )
    done = folder / "delivered.txt"
    variables = {
        "PALAVER_DATABASE_URL": postgres.url,
        "PALAVER_REDIS_URL": valkey.url,
        "PALAVER_SECRET_KEY": SECRET,
    }

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-c", WORKER, str(done)],
            cwd=ROOT,
            env={**{k: v for k, v in os.environ.items() if "PALAVER" not in k}, **variables},
        )

    async def wait_for_lines(number: int) -> None:
        for _ in range(1500):
            if done.exists() and done.read_bytes().count(b"\n") >= number:
                return
            await asyncio.sleep(0.01)
        raise AssertionError("the worker does nothing")

    chance = random.Random(11)
    for kill in range(KILLS):
        process = start()
        await wait_for_lines(kill * 200 + chance.randrange(1, 200))
        process.send_signal(signal.SIGKILL)
        process.wait()
        # The leases of the dead are over; otherwise each round would take ten seconds.
        await connection.execute("UPDATE deliveries SET due_at = now()")
    await connection.close()
    process = start()
    try:
        await wait_until_relayed(postgres)
    finally:
        process.kill()
        process.wait()
    lines = done.read_text().splitlines()
    for consumer in ("one", "batch"):
        expected = {f"{consumer} {UUID(int=number)}" for number in range(EVENTS)}
        assert expected <= set(lines)
    done.unlink()
