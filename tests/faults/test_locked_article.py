"""One article that is locked for long: others are written to, and nobody waits in vain for it."""

import asyncio
from pathlib import Path

import httpx

from tests.client import expect, expect_problem
from tests.faults.looking import connected
from tests.faults.servers import Engine, running
from tests.faults.test_processes import holding_up, wait_until_held_up
from tests.waiting import PATIENCE

REPLIES = 80
# Of ten connections, three for one article; and places for 64 more to wait.
POOL, WIDTH, LENGTH = 10, 3, 64


async def test_an_article_that_is_locked_keeps_no_connections_from_others(
    folder: Path, postgres: Engine, valkey: Engine, emptied: None
) -> None:
    with running("serve", folder, postgres, valkey, database_pool_size=str(POOL)) as palaver:
        async with connected(palaver) as client:
            person = await client.join()
            article = await person.post_article()
            comment = await person.reply(article["id"])
            elsewhere = await person.post_article("Elsewhere")
            path = f"/v1/articles/{article['id']}/comments"

            async def reply(number: int) -> httpx.Response:
                return await person.client.post(
                    path, {"body": f"No. {number}"}, headers={"Idempotency-Key": f"key-{number}"}
                )

            async with holding_up(postgres, article) as holder:
                replying = [asyncio.create_task(reply(number)) for number in range(REPLIES)]
                await wait_until_held_up(holder, WIDTH)
                # Those for whom there is no place are told so while the article is still locked.
                done: set[asyncio.Task[httpx.Response]] = set()
                while len(done) < REPLIES - WIDTH - LENGTH:
                    done, _ = await asyncio.wait(
                        replying, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED
                    )
                    replying = [task for task in replying if task not in done] + list(done)
                    assert done, "nobody is refused"
                    await asyncio.sleep(0.02)
                for task in done:
                    refused = task.result()
                    expect_problem(refused, 503, "write_queue_full")
                    assert refused.headers["retry-after"] == "2"
                # Other ways of writing to it wait in the same queue.
                vote = await person.client.put(f"/v1/articles/{article['id']}/vote", {"value": 1})
                expect_problem(vote, 503, "write_queue_full")
                expect_problem(await person.edit(comment["id"], "x"), 503, "write_queue_full")
                expect_problem(await client.post(path, {"body": "x"}), 401, "not_authenticated")
                # Everything else goes on, with more writers at once than connections are left.
                written = await asyncio.gather(
                    *(person.reply(elsewhere["id"], f"No. {number}") for number in range(20))
                )
                assert len({one["id"] for one in written}) == 20
                expect(await client.get(path), 200)
                assert (
                    await holder.fetchval(
                        "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted"
                    )
                    <= WIDTH
                )
            answers = [await task for task in replying]
            # On a slow machine some have waited for as long as anybody waits for a lock.
            assert {answer.status_code for answer in answers} == {201, 503}
            # Whoever was refused comes again with the same key.
            again = [await reply(number) for number in range(REPLIES)]
            assert {answer.status_code for answer in again} == {201}
            now = expect(await client.get(f"/v1/articles/{article['id']}"), 200)
            assert now["comment_count"] == 1 + REPLIES
