"""The guarded client against a real Valkey that is frozen, killed, full and busy."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from prometheus_client import REGISTRY
from redis import exceptions
from redis.asyncio import Redis
from redis.utils import HIREDIS_AVAILABLE
from structlog.testing import CapturingLogger

from api.kit.redis.client import (
    MAX_CONNECTIONS,
    GuardedRedis,
    RedisUnavailable,
    connect,
)
from tests.kit.redis.conftest import Clock
from tests.kit.redis.valkey import Valkey


@pytest.fixture
async def guarded(server: Valkey, clock: Clock) -> AsyncIterator[GuardedRedis]:
    redis = GuardedRedis(connect(server.url), clock=clock)
    await redis.call(lambda r: r.flushall())
    yield redis
    server.thaw()
    await redis.close()


async def ping(redis: Redis) -> bool:
    return bool(await redis.ping())


def count_failures() -> float:
    return REGISTRY.get_sample_value("palaver_redis_failures_total") or 0.0


async def test_a_new_connection_says_nothing_but_the_command(server):
    async with Redis.from_url(server.url) as other:
        await other.config_resetstat()
        guarded = GuardedRedis(connect(server.url))
        assert await guarded.call(lambda redis: redis.get("nothing")) is None
        await guarded.close()
        said = set(await other.info("commandstats")) - {"cmdstat_config|resetstat"}
    assert said == {"cmdstat_get"}


async def test_hiredis_parses_and_nothing_is_repeated(server):
    assert HIREDIS_AVAILABLE
    redis = connect(server.url)
    connection = await redis.connection_pool.get_connection()
    assert connection.retry.get_retries() == 0
    await redis.connection_pool.release(connection)
    await redis.aclose()


async def test_many_calls_share_few_connections(guarded):
    async def increment(redis: Redis) -> int:
        return int(await redis.incr("n"))

    numbers = await asyncio.gather(*(guarded.call(increment) for _ in range(200)))
    assert sorted(numbers) == list(range(1, 201))
    clients = await guarded.call(lambda redis: redis.client_list())
    assert len(clients) <= MAX_CONNECTIONS


async def test_a_frozen_server_costs_one_call_a_second(server, guarded, clock, monkeypatch):
    log = CapturingLogger()
    monkeypatch.setattr("api.kit.redis.client.log", log)
    asked = 0

    async def ask(redis: Redis) -> bool:
        nonlocal asked
        asked += 1
        return await ping(redis)

    assert await guarded.call(ask)
    failed = count_failures()
    server.freeze()
    for _ in range(100):
        with pytest.raises(RedisUnavailable):
            await guarded.call(ask)
    assert asked == 2

    clock.now += 1
    answers = await asyncio.gather(*(guarded.call(ask) for _ in range(100)), return_exceptions=True)
    assert all(isinstance(answer, RedisUnavailable) for answer in answers)
    assert asked == 3

    server.thaw()
    with pytest.raises(RedisUnavailable):
        await guarded.call(ask)
    clock.now += 1
    assert await guarded.call(ask)
    assert all(await asyncio.gather(*(guarded.call(ask) for _ in range(100))))
    assert count_failures() - failed == 2
    assert log.calls == [
        ("warning", ("redis_unavailable",), {"reason": "TimeoutError: no reply in time"}),
        ("info", ("redis_available_again",), {"unavailable_seconds": 2.0}),
    ]


async def test_those_who_wait_when_it_opens_wait_no_longer(server, guarded):
    server.freeze()
    early = asyncio.ensure_future(guarded.call(ping))
    await asyncio.sleep(0.15)
    late = [asyncio.ensure_future(guarded.call(ping)) for _ in range(2 * MAX_CONNECTIONS)]
    with pytest.raises(RedisUnavailable):
        await early
    # Some turns of the loop, instead of the 0.15 s that their own deadlines still had.
    for _ in range(20):
        await asyncio.sleep(0)
    assert all(task.done() for task in late)
    assert all(isinstance(task.exception(), RedisUnavailable) for task in late)


async def test_a_busy_loop_is_not_a_frozen_server(guarded):
    calls = [asyncio.ensure_future(guarded.call(ping)) for _ in range(3 * MAX_CONNECTIONS)]
    for _ in range(3):
        await asyncio.sleep(0)
        time.sleep(0.4)  # noqa: ASYNC251  # this process is too busy to read the answers
    assert all(await asyncio.gather(*calls))


async def test_a_killed_server_is_away_until_it_is_back(server, guarded, clock):
    assert await guarded.call(ping)
    server.kill()
    for _ in range(3):
        with pytest.raises(RedisUnavailable):
            await guarded.call(ping)
    server.start()
    with pytest.raises(RedisUnavailable):
        await guarded.call(ping)
    clock.now += 1
    assert await guarded.call(ping)


async def test_a_server_that_never_was_is_away():
    guarded = GuardedRedis(connect("unix:///nowhere/valkey.sock"))
    with pytest.raises(RedisUnavailable):
        await guarded.call(ping)
    await guarded.close()


async def test_our_own_mistakes_are_raised(guarded):
    await guarded.call(lambda redis: redis.set("text", "x"))
    failed = count_failures()
    with pytest.raises(exceptions.ResponseError, match="WRONGTYPE"):
        await guarded.call(lambda redis: redis.zcard("text"))
    with pytest.raises(ZeroDivisionError):
        await guarded.call(lambda _: 1 / 0)  # type: ignore[arg-type,return-value]  # a mistake
    assert await guarded.call(ping)
    assert count_failures() == failed


async def test_a_full_server_is_away(guarded, clock):
    await guarded.call(lambda redis: redis.config_set("maxmemory", "1"))
    with pytest.raises(RedisUnavailable, match="OutOfMemory"):
        await guarded.call(lambda redis: redis.set("key", "value"))
    clock.now += 1
    await guarded.call(lambda redis: redis.config_set("maxmemory", "0"))
    await guarded.call(lambda redis: redis.set("key", "value"))


async def test_a_replica_is_away_for_who_writes(guarded, clock):
    await guarded.call(lambda redis: redis.replicaof("127.0.0.1", "1"))
    with pytest.raises(RedisUnavailable, match="ReadOnly"):
        await guarded.call(lambda redis: redis.set("key", "value"))
    clock.now += 1
    await guarded.call(lambda redis: redis.replicaof("NO", "ONE"))


async def test_a_busy_server_is_away_in_pipelines_too(server, guarded, clock):
    async with Redis.from_url(server.url) as other:
        await other.config_set("busy-reply-threshold", 1)
        endless = asyncio.ensure_future(other.eval("while true do end", 0))
        await asyncio.sleep(0.1)

        async def store(redis: Redis) -> None:
            async with redis.pipeline(transaction=False) as pipeline:
                pipeline.set("a", 1)
                pipeline.set("b", 2)
                await pipeline.execute()

        with pytest.raises(RedisUnavailable, match="BUSY"):
            await guarded.call(store)
        async with Redis.from_url(server.url) as third:
            await third.script_kill()
        with pytest.raises(exceptions.ResponseError):
            await endless
    clock.now += 1
    await guarded.call(store)


@pytest.mark.parametrize(
    ("error", "away"),
    [
        (exceptions.ResponseError("MISCONF Valkey is configured to save RDB snapshots"), True),
        (exceptions.ResponseError("NOREPLICAS Not enough good replicas to write."), True),
        (exceptions.BusyLoadingError("Valkey is loading the dataset in memory"), True),
        (exceptions.MasterDownError("Link with MASTER is down"), True),
        (exceptions.ResponseError("BUSYGROUP Consumer Group name already exists"), False),
        (exceptions.NoScriptError("No matching script."), False),
        (exceptions.DataError("Invalid input of type: 'NoneType'."), False),
    ],
)
async def test_what_the_servers_state_explains(guarded, error, away):
    async def fail(_: Redis) -> None:
        raise error

    with pytest.raises(RedisUnavailable if away else type(error)):
        await guarded.call(fail)


async def test_commands_share_the_connection_at_hand(guarded):
    ids = {await guarded.execute("CLIENT", "ID") for _ in range(5)}
    assert len(ids) == 1
    assert sorted(
        await asyncio.gather(*(guarded.execute("INCR", "n") for _ in range(200)))
    ) == list(range(1, 201))
    clients = await guarded.call(lambda redis: redis.client_list())
    assert len(clients) <= MAX_CONNECTIONS + 1
    assert await guarded.execute("CLIENT", "ID") in {int(client["id"]) for client in clients}


async def test_a_connection_that_was_closed_meanwhile_is_no_failure(server, guarded):
    first = await guarded.execute("CLIENT", "ID")
    failures = count_failures()
    async with Redis.from_url(server.url) as other:
        await other.client_kill_filter(_type="normal", skipme=True)
    assert await guarded.execute("CLIENT", "ID") != first
    assert count_failures() == failures


async def call_for(guarded: GuardedRedis, key: str) -> object:
    return await guarded.call(lambda redis: redis.get(key))


async def execute_for(guarded: GuardedRedis, key: str) -> object:
    return await guarded.execute("GET", key)


@pytest.mark.parametrize("find", [call_for, execute_for])
async def test_cancelled_calls_leave_no_wrong_replies(guarded, find):
    await guarded.call(lambda redis: redis.mset({f"key{n}": f"value{n}" for n in range(200)}))

    async def get(n: int) -> None:
        for _ in range(5):
            assert await find(guarded, f"key{n}") == f"value{n}".encode()

    tasks = [asyncio.ensure_future(get(n)) for n in range(200)]
    for turn, task in enumerate(tasks):
        if turn % 2:
            task.cancel()
        if turn % 5 == 0:
            await asyncio.sleep(0)  # so that they are cut off at all stages
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    assert ends[::2] == [None] * 100
    assert all(isinstance(end, asyncio.CancelledError) for end in ends[1::2])
    await asyncio.gather(*(get(n) for n in range(200)))

    # No slot and no connection was lost: as many calls as ever can hold one at the same time.
    barrier = asyncio.Barrier(MAX_CONNECTIONS)

    async def meet(redis: Redis) -> None:
        async with redis.client() as connection:
            await connection.ping()
            await barrier.wait()

    await asyncio.gather(*(guarded.call(meet) for _ in range(MAX_CONNECTIONS)))
