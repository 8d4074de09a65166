"""A worker killed at any moment: each delivery is made at least once, and none is missing."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from tests.client import Client
from tests.connections import connected_to
from tests.faults.looking import wait_until_relayed
from tests.faults.servers import ROOT, SECRET, Engine
from tests.waiting import wait_until

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
    done = folder / "delivered.txt"
    variables = {
        "PALAVER_DATABASE_URL": postgres.url,
        "PALAVER_REDIS_URL": valkey.url,
        "PALAVER_SECRET_KEY": SECRET,
    }

    @contextmanager
    def working() -> Iterator[None]:
        """Run a worker while the block lasts, then kill it."""
        process = subprocess.Popen(
            [sys.executable, "-c", WORKER, str(done)],
            cwd=ROOT,
            env={**{k: v for k, v in os.environ.items() if "PALAVER" not in k}, **variables},
        )
        try:
            yield
        finally:
            process.kill()
            process.wait()

    async def wait_for_lines(number: int) -> None:
        await wait_until(lambda: done.exists() and done.read_bytes().count(b"\n") >= number)

    chance = random.Random(11)
    async with connected_to(postgres.url) as connection:
        await connection.executemany(
            "INSERT INTO events (type, payload, created_at) VALUES ('user_registered', $1, now())",
            [(json.dumps({"user_id": str(UUID(int=number))}),) for number in range(EVENTS)],
        )
        for kill in range(KILLS):
            with working():
                await wait_for_lines(kill * 200 + chance.randrange(1, 200))
            # The leases of the dead are over; otherwise each round would take ten seconds.
            await connection.execute("UPDATE deliveries SET due_at = now()")
    with working():
        await wait_until_relayed(postgres)
    lines = done.read_text().splitlines()
    for consumer in ("one", "batch"):
        expected = {f"{consumer} {UUID(int=number)}" for number in range(EVENTS)}
        assert expected <= set(lines)
    done.unlink()
