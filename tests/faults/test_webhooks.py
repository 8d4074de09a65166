"""Webhooks through the worker as it ships, killed while it sends, to a receiver that verifies."""

import asyncio
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
from standardwebhooks import Webhook

from tests.client import Client, expect
from tests.connections import connect_arguments
from tests.faults.looking import wait_until_relayed
from tests.faults.servers import Engine, Palaver, running
from tests.servers import running_server

REPLIES = 30
# In seconds, far above what a loaded machine needs.
PATIENCE = 60


async def test_a_worker_killed_while_it_sends_tells_of_every_public_change_and_no_other(
    forum: Client, folder: Path, postgres: Engine, valkey: Engine
) -> None:
    database = await asyncpg.connect(**connect_arguments(postgres.url))
    admin = await forum.join("ada")
    await database.execute("UPDATE users SET role = 'admin'")
    body = {"url": "https://93.184.215.14/", "event_types": ["comment.created"]}
    secret = expect(await admin.client.post("/v1/webhooks", body), 201)["secret"]
    author, held = await forum.join(), await forum.join()
    await database.execute(
        "INSERT INTO sanctions (id, user_id, kind, reason, starts_at)"
        " VALUES ($1, $2, 'pre_moderation', 'other', now())",
        *(uuid4(), UUID(held.id)),
    )
    article = (await author.post_article())["id"]
    path = f"/v1/articles/{article}/comments"
    public: set[str] = set()
    for number in range(REPLIES):
        public.add(f"evt_{article}_{(await author.reply(article))['version']}")
        if number % 10 == 0:
            # One that nobody sees takes a version, one that is refused none.
            assert (await held.reply(article))["state"] == "pending"
            refused = {"body": "No.", "parent_id": str(uuid4())}
            assert (await author.client.post(path, refused)).status_code == 404
    async with running_server() as receiver:
        receiver.respond("ok")
        # Where it listens could not be entered: it is on this machine.
        await database.execute("UPDATE webhooks SET url = $1", receiver.url)
        worker: Palaver
        options = {"outgoing_allow_private": "true"}

        def kill() -> None:
            """Kill the worker when a message has come, before its response."""
            if len(receiver.requests) == REPLIES // 2:
                worker.process.kill()

        receiver.watch = kill
        with running("worker", folder, postgres, valkey, **options) as worker:
            await asyncio.to_thread(worker.process.wait, PATIENCE)
        await database.execute("UPDATE deliveries SET due_at = now()")
        receiver.watch = lambda: None
        with running("worker", folder, postgres, valkey, **options) as worker:
            await wait_until_relayed(postgres)
            assert worker.leave() == 0
        ids = [headers["webhook-id"] for _, headers, _ in receiver.requests]
        for _, headers, sent in receiver.requests:
            assert Webhook(secret).verify(sent, headers)["data"]["article_id"] == article
    assert set(ids) == public
    assert len(ids) > len(public), "a message that was sent and not noted comes again"
    await database.close()
