"""The limiter against a real Valkey, without it, and against a plain model."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from api.kit.redis.client import GuardedRedis, connect
from api.kit.redis.rate_limiter import (
    MAX_LIMIT,
    SCRIPT_SHA,
    SECOND,
    Charge,
    Limiter,
    LocalLogs,
    Quota,
    State,
    Verdict,
    ratelimit_headers,
)
from tests.kit.redis.conftest import Clock
from tests.kit.redis.valkey import Valkey


@pytest.fixture
async def redis(server: Valkey) -> AsyncIterator[Redis]:
    async with Redis.from_url(server.url) as client:
        await client.flushall()
        yield client


@pytest.fixture
async def limiter(server: Valkey, redis: Redis, clock: Clock) -> AsyncIterator[Limiter]:
    guarded = GuardedRedis(connect(server.url), clock=clock)
    yield Limiter(guarded, clock=clock)
    await guarded.close()


async def charge(limiter: Limiter, quota: Quota, subject: str = "user:1") -> State:
    verdict = await limiter.charge([Charge(quota, subject)])
    assert verdict.allowed is (verdict.retry_after is None)
    return verdict.states[0]


TEN = Quota("ten", limit=10, window=60)


async def test_exactly_the_limit_passes_in_parallel(server, limiter):
    other = GuardedRedis(connect(server.url))
    limiters = [limiter, Limiter(other)]
    verdicts = await asyncio.gather(
        *(limiters[n % 2].charge([Charge(TEN, "user:1")]) for n in range(50))
    )
    await other.close()
    passed = [verdict.states[0] for verdict in verdicts if verdict.allowed]
    assert sorted(state.remaining for state in passed) == list(range(10))
    refused = [verdict.states[0] for verdict in verdicts if not verdict.allowed]
    assert {state.remaining for state in refused} == {0}
    assert all(50 < state.reset == state.retry_after <= 60 for state in refused)


async def test_the_window_slides(limiter, redis):
    quota = Quota("pair", limit=2, window=60)
    key = Charge(quota, "user:1").key
    for _ in range(2):
        await charge(limiter, quota)
    first, second = await redis.zrange(key, 0, -1)

    await redis.zincrby(key, -40 * SECOND, first)  # as if it had been 40 s earlier
    state = await charge(limiter, quota)
    assert 10 < state.reset == (state.retry_after or 0) <= 20
    await redis.zincrby(key, -20 * SECOND, first)
    state = await charge(limiter, quota)
    assert (state.remaining, state.retry_after) == (0, None)  # a fixed window would be empty
    assert first not in await redis.zrange(key, 0, -1)
    await redis.zincrby(key, -30 * SECOND, second)
    assert 20 < ((await charge(limiter, quota)).retry_after or 0) <= 30


async def test_time_passes_by_itself(limiter):
    quota = Quota("short", limit=1, window=1)
    await charge(limiter, quota)
    while (wait := (await charge(limiter, quota)).retry_after) is not None:
        assert wait == 1
        await asyncio.sleep(0.2)


async def test_subjects_and_names_do_not_share(limiter):
    await charge(limiter, TEN, "user:1")
    assert (await charge(limiter, TEN, "user:2")).remaining == 9
    assert (await charge(limiter, Quota("other", limit=10, window=60), "user:1")).remaining == 9
    assert (await charge(limiter, TEN, "user:1")).remaining == 8


async def test_all_or_nothing(limiter, redis):
    narrow = Quota("narrow", limit=1, window=30)
    charges = [Charge(TEN, "user:1"), Charge(narrow, "addr:192.0.2.1")]
    first = await limiter.charge(charges)
    assert first.allowed
    assert [(state.quota, state.remaining) for state in first.states] == [(TEN, 9), (narrow, 0)]
    for _ in range(3):
        refused = await limiter.charge(charges)
        assert not refused.allowed
        assert [state.remaining for state in refused.states] == [9, 0]
        assert refused.states[0].retry_after is None
        assert 20 < (refused.states[1].retry_after or 0) <= 30
        assert refused.retry_after == refused.states[1].retry_after
    assert await redis.zcard(charges[0].key) == 1


async def test_a_refused_newcomer_leaves_nothing(limiter, redis):
    narrow = Quota("narrow", limit=1, window=30)
    await charge(limiter, narrow)
    charges = [Charge(narrow, "user:1"), Charge(TEN, "user:2")]
    verdict = await limiter.charge(charges)
    assert verdict.states[1] == State(quota=TEN, remaining=10, reset=0, retry_after=None)
    assert await redis.keys() == [charges[0].key.encode()]


async def test_a_lowered_limit_waits_for_room(limiter, redis):
    key = Charge(TEN, "user:1").key
    for _ in range(5):
        await charge(limiter, TEN)
    for n, member in enumerate(await redis.zrange(key, 0, -1)):
        await redis.zincrby(key, (n - 5) * 10 * SECOND, member)  # 50, 40, 30, 20 and 10 s ago
    state = await charge(limiter, Quota("ten", limit=3, window=60))
    assert state.remaining == 0
    assert 5 < state.reset <= 10
    assert 25 < (state.retry_after or 0) <= 30  # when the one of 30 s ago has left


async def test_keys_are_bounded_expire_and_live_in_one_slot(limiter, redis):
    secret = "203.0.113.7" + "x" * 5000 + "\ud800}{"
    charges = [Charge(TEN, secret), Charge(Quota("b", limit=1, window=5), "user:1")]
    await limiter.charge(charges)
    keys = [key.decode() for key in await redis.keys()]
    assert sorted(keys) == sorted(charge.key for charge in charges)
    assert all(len(key) < 90 and "203.0.113.7" not in key for key in keys)
    assert all(key.startswith("{limits}:") for key in keys)
    assert 59_000 < await redis.pttl(charges[0].key) <= 60_000
    assert 4_000 < await redis.pttl(charges[1].key) <= 5_000


async def test_one_round_trip_and_the_script_is_loaded_again(limiter, redis):
    await redis.script_flush()
    await charge(limiter, TEN)
    await redis.config_resetstat()
    others = [Charge(Quota(f"quota{n}", limit=5, window=60), f"user:{n}") for n in range(8)]
    assert (await limiter.charge(others)).allowed
    stats = await redis.info("commandstats")
    assert stats["cmdstat_evalsha"]["calls"] == 1
    assert "cmdstat_eval" not in stats


async def test_charges_in_one_microsecond_are_counted_each(limiter, redis):
    key = Charge(TEN, "user:9").key
    await charge(limiter, TEN)  # loads the script
    async with redis.pipeline(transaction=True) as pipeline:  # one moment for Valkey
        for _ in range(2):
            pipeline.evalsha(SCRIPT_SHA, 1, key, TEN.limit, TEN.window * SECOND)
        pipeline.zcard(key)
        first, second, count = await pipeline.execute()
    assert (first[1], second[1], count) == (1, 2, 2)


async def test_a_clock_set_back_locks_nobody_out(limiter, redis):
    key = Charge(TEN, "user:1").key
    seconds, _ = await redis.time()
    year = 365 * 86_400
    stamps = [(seconds + year) * 1_000_000 + n for n in range(10)]
    await redis.zadd(key, {str(stamp): stamp for stamp in stamps})
    assert (await charge(limiter, TEN)).remaining == 9


async def test_while_frozen_half_the_limit_holds_and_it_comes_back(server, limiter, clock):
    for _ in range(3):
        await charge(limiter, TEN)
    server.freeze()
    states = [await charge(limiter, TEN) for _ in range(8)]
    assert [state.remaining for state in states] == [4, 3, 2, 1, 0, 0, 0, 0]
    assert [state.retry_after for state in states] == [None] * 5 + [60] * 3
    assert ratelimit_headers(Verdict(allowed=False, states=(states[-1],))) == {
        "RateLimit-Policy": '"ten";q=10;w=60',
        "RateLimit": '"ten";r=0;t=60',
        "Retry-After": "60",
    }
    server.thaw()
    clock.now += 1
    # The charge that timed out may have been carried out after all.
    assert (await charge(limiter, TEN)).remaining in {10 - 4, 10 - 5}


async def test_a_killed_server_is_replaced_by_half_the_limit(server, limiter, clock):
    await charge(limiter, TEN)
    server.kill()
    assert [(await charge(limiter, TEN)).remaining for _ in range(6)] == [4, 3, 2, 1, 0, 0]
    server.start()
    clock.now += 1
    assert (await charge(limiter, TEN)).remaining == 9


async def test_what_cannot_be_charged(limiter):
    with pytest.raises(ValueError, match="at most 8"):
        await limiter.charge([Charge(Quota(f"n{n}", 1, 1), "a") for n in range(9)])
    with pytest.raises(ValueError, match="a name of its own"):
        await limiter.charge([Charge(TEN, "a"), Charge(TEN, "b")])
    assert await limiter.charge([]) == Verdict(allowed=True, states=())


@pytest.mark.parametrize(
    ("name", "limit", "window"),
    [
        ("", 1, 1),
        ("Upper", 1, 1),
        ('quo"te', 1, 1),
        ("a" * 41, 1, 1),
        ("new\nline", 1, 1),
        ("line\n", 1, 1),
        ("fine", 0, 1),
        ("fine", MAX_LIMIT + 1, 1),
        ("fine", 1, 0),
        ("fine", 1, 86_401),
    ],
)
def test_quotas_have_bounds(name, limit, window):
    with pytest.raises(ValueError):
        Quota(name, limit, window)


def test_headers_of_several_quotas():
    quotas = Quota("comment_create", 10, 60), Quota("daily", 100, 86_400)
    states = (
        State(quota=quotas[0], remaining=9, reset=42, retry_after=None),
        State(quota=quotas[1], remaining=0, reset=7, retry_after=7000),
    )
    assert ratelimit_headers(Verdict(allowed=True, states=states[:1])) == {
        "RateLimit-Policy": '"comment_create";q=10;w=60',
        "RateLimit": '"comment_create";r=9;t=42',
    }
    assert ratelimit_headers(Verdict(allowed=False, states=states)) == {
        "RateLimit-Policy": '"comment_create";q=10;w=60, "daily";q=100;w=86400',
        "RateLimit": '"comment_create";r=9;t=42, "daily";r=0;t=7',
        "Retry-After": "7000",
    }
    assert ratelimit_headers(Verdict(allowed=True, states=())) == {}


MODEL_QUOTAS = [Quota("one", 1, 1), Quota("two", 5, 2), Quota("three", 8, 3)]
CHARGES = st.lists(
    st.builds(Charge, st.sampled_from(MODEL_QUOTAS), st.sampled_from(["a", "b"])),
    min_size=1,
    max_size=3,
    unique_by=lambda charge: charge.quota.name,
)
TENTHS = st.integers(min_value=0, max_value=15)


@given(st.lists(st.tuples(TENTHS, CHARGES), max_size=60))
def test_local_logs_do_as_the_model(steps):
    clock = Clock()
    clock.now = 0.0
    logs = LocalLogs(clock=clock)
    kept: dict[Charge, list[int]] = defaultdict(list)  # tenths of a second, never forgotten
    tenth = 0
    for passed, charges in steps:
        tenth += passed
        clock.now = tenth / 10
        verdict = logs.charge(charges)

        def in_window(charge: Charge, now: int = tenth) -> list[int]:
            return [at for at in kept[charge] if at > now - 10 * charge.quota.window]

        halves = {charge: max(1, charge.quota.limit // 2) for charge in charges}
        full = [charge for charge in charges if len(in_window(charge)) >= halves[charge]]
        assert verdict.allowed is (full == [])
        if not full:
            for charge in charges:
                kept[charge].append(tenth)
        for charge, state in zip(charges, verdict.states, strict=True):
            counted = in_window(charge)
            assert state.remaining == halves[charge] - len(counted)
            ends = counted[0] + 10 * charge.quota.window - tenth if counted else 0
            assert state.reset == -(-ends // 10)
            assert state.retry_after == (state.reset if charge in full else None)


def test_local_logs_wait_for_room_under_a_lowered_limit(clock):
    logs = LocalLogs(clock=clock)
    for _ in range(5):
        assert logs.charge([Charge(TEN, "user:1")]).allowed
        clock.now += 10
    lower = Quota("ten", limit=6, window=60)  # half of it is 3
    assert logs.charge([Charge(lower, "user:1")]) == Verdict(
        allowed=False,
        states=(State(quota=lower, remaining=0, reset=10, retry_after=30),),
    )


def test_local_logs_forget_the_one_charged_longest_ago():
    logs = LocalLogs(clock=Clock(), max_logs=3)
    twice = Quota("twice", 4, 60)

    def charge_once(subject: str) -> int:
        return logs.charge([Charge(twice, subject)]).states[0].remaining

    assert [charge_once(subject) for subject in "abca"] == [1, 1, 1, 0]
    assert charge_once("d") == 1  # forgets b
    assert charge_once("a") == 0
    assert charge_once("b") == 1
