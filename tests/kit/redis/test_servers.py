"""Which Redis server is behind a connection: read once, and noticed when it is another one."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from api.kit.redis.client import GuardedRedis, RedisUnavailable, connect
from tests.kit.redis.conftest import Clock
from tests.kit.redis.valkey import Valkey


@pytest.fixture
async def guarded(server: Valkey, clock: Clock) -> AsyncIterator[GuardedRedis]:
    redis = GuardedRedis(connect(server.url), clock=clock)
    yield redis
    await redis.close()


async def read_id(guarded: GuardedRedis) -> str:
    echoed: bytes = await guarded.execute_on_server(lambda server: ("ECHO", server))
    return echoed.decode()


async def test_it_is_read_once_on_a_new_connection_and_then_every_second(server, guarded, clock):
    async with Redis.from_url(server.url) as other:
        replication = await other.info("replication")
        await other.config_resetstat()
        for _ in range(3):
            assert await read_id(guarded) == replication["master_replid"][:16]
        clock.now += 1
        for _ in range(3):
            await read_id(guarded)
        said = await other.info("commandstats")
    assert said["cmdstat_echo"]["calls"] == 6
    assert said["cmdstat_info"]["calls"] == 2


async def test_a_restarted_server_is_another_one(server, guarded):
    before = await read_id(guarded)
    server.kill()
    server.start()
    assert await read_id(guarded) != before


async def test_a_promoted_replica_is_another_one_on_connections_that_stay_open(
    server, guarded, clock
):
    before = await read_id(guarded)
    async with Redis.from_url(server.url) as other:
        await other.replicaof("127.0.0.1", "1")
        clock.now += 1
        with pytest.raises(RedisUnavailable, match="replica"):
            await read_id(guarded)
        await other.replicaof("NO", "ONE")
    clock.now += 1
    after = await read_id(guarded)
    assert after != before


async def test_a_server_that_does_not_say_who_it_is_is_not_used(server, clock):
    async with Redis.from_url(server.url) as other:
        await other.acl_setuser(
            "mute", enabled=True, nopass=True, commands=["+@all", "-info"], keys=["*"]
        )
        guarded = GuardedRedis(
            connect(server.url.replace("redis://", "redis://mute:none@")), clock=clock
        )
        with pytest.raises(RedisUnavailable, match="INFO"):
            await read_id(guarded)
        await guarded.close()
        await other.acl_deluser("mute")
