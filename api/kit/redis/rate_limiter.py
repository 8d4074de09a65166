"""Rate limits: the mechanism. Who pays for what is said where the actions are known.

A quota allows `limit` charges in any `window` seconds, exactly: Redis keeps the moment of each
charge for as long as it counts (a sliding log). All charges of a request are one script and one
round trip, and all or nothing: when one quota refuses, no other is used up.

All logs have the hash tag {limits}: one request charges several subjects (a user, an address), and
in a cluster a script reaches one slot only. So all limits live on one node of a cluster, which is
some ten thousand requests a second; exactness was worth more than spreading them.

While Redis is unavailable each process counts for itself and allows half: stricter for a client
that stays on one process, and at most processes / 2 times the limit for one that reaches all.
"""

import hashlib
import re
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import cast

from redis.asyncio import Redis
from redis.exceptions import NoScriptError

from api.kit.redis.client import GuardedRedis, RedisUnavailable

MAX_LIMIT = 10_000  # a full log takes about 1 MB of Redis's memory
MAX_WINDOW = 86_400  # seconds
MAX_CHARGES = 8
MAX_LOCAL_LOGS = 10_000
SECOND = 1_000_000  # microseconds
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")

# For each key: its limit and its window in microseconds. Answers 1 or 0 (allowed), then for each
# key: charges in its window, microseconds until the oldest leaves it, and until one more fits.
_SCRIPT = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local used, allowed = {}, 1
for i, key in ipairs(KEYS) do
  local limit, window = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now - window)
  -- Were the clock set back, what it wrote before would else refuse until it is there again.
  redis.call('ZREMRANGEBYSCORE', key, now + window, '+inf')
  used[i] = redis.call('ZCARD', key)
  if used[i] >= limit then allowed = 0 end
end
local reply = {allowed}
for i, key in ipairs(KEYS) do
  local limit, window = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  if allowed == 1 then
    local moment = now  -- two charges in one microsecond are still two
    while redis.call('ZADD', key, 'NX', moment, moment) == 0 do moment = moment + 1 end
    redis.call('PEXPIRE', key, window / 1000)
    used[i] = used[i] + 1
  end
  local wait = {0, 0}
  for j, rank in ipairs({0, used[i] - limit}) do
    local at = rank >= 0 and redis.call('ZRANGE', key, rank, rank, 'WITHSCORES')[2]
    if at then wait[j] = at + window - now end
  end
  reply[3 * i - 1], reply[3 * i], reply[3 * i + 1] = used[i], wait[1], wait[2]
end
return reply
"""
SCRIPT_SHA = hashlib.sha1(_SCRIPT.encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class Quota:
    """At most `limit` charges in any `window` seconds; `name` is what clients are told."""

    name: str
    limit: int
    window: int

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"not a quota's name: {self.name!r}")
        if not (1 <= self.limit <= MAX_LIMIT and 1 <= self.window <= MAX_WINDOW):
            raise ValueError(f"limit or window out of bounds: {self}")


@dataclass(frozen=True, slots=True)
class Charge:
    """One use of a quota; `subject` is who pays: "user:<id>", "addr:<network>"."""

    quota: Quota
    subject: str

    @property
    def key(self) -> str:
        """The log's name: of bounded length, and without the address in it."""
        digest = hashlib.blake2b(self.subject.encode(errors="surrogatepass"), digest_size=16)
        return f"{{limits}}:{self.quota.name}:{digest.hexdigest()}"


@dataclass(frozen=True, slots=True)
class State:
    """What is left of a quota. Times are whole seconds, rounded up.

    `reset` is when the oldest charge stops counting (0: there is none), `retry_after` when one more
    charge fits, if this quota refused.
    """

    quota: Quota
    remaining: int
    reset: int
    retry_after: int | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the request may go on, and the state of each quota in the order of the charges."""

    allowed: bool
    states: tuple[State, ...]

    @property
    def retry_after(self) -> int | None:
        """Seconds until every quota has room again; None when allowed."""
        return max((s.retry_after for s in self.states if s.retry_after is not None), default=None)


class Limiter:
    """Charges quotas in Redis, and in the process while Redis is unavailable."""

    def __init__(self, redis: GuardedRedis, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._redis = redis
        self._local = LocalLogs(clock=clock)

    async def charge(self, charges: Sequence[Charge]) -> Verdict:
        """Charge all of the quotas, or none when one of them refuses.

        Raises ValueError for more than 8 charges, or two of one name: clients could not tell them
        apart.
        """
        if len(charges) > MAX_CHARGES or len({c.quota.name for c in charges}) < len(charges):
            raise ValueError("charge at most 8 quotas at once, each under a name of its own")
        if not charges:
            return Verdict(allowed=True, states=())
        keys = [charge.key for charge in charges]
        arguments = [n for c in charges for n in (c.quota.limit, c.quota.window * SECOND)]

        async def run(redis: Redis) -> list[int]:
            try:
                reply = await redis.evalsha(SCRIPT_SHA, len(keys), *keys, *arguments)
            except NoScriptError:  # EVAL leaves the script there for the next time
                reply = await redis.eval(_SCRIPT, len(keys), *keys, *arguments)
            return cast("list[int]", reply)

        try:
            allowed, *numbers = await self._redis.call(run)
        except RedisUnavailable:
            return self._local.charge(charges)
        limits = [charge.quota.limit for charge in charges]
        counts = zip(numbers[::3], numbers[1::3], numbers[2::3], strict=True)
        return _judge(charges, limits, counts, allowed=bool(allowed))


class LocalLogs:
    """The same sliding logs in this process, each with half its limit (at least 1).

    At most 10,000 logs are kept; then the one that was charged longest ago is forgotten.
    """

    def __init__(self, *, clock: Callable[[], float], max_logs: int = MAX_LOCAL_LOGS) -> None:
        self._clock = clock  # seconds
        self._max_logs = max_logs
        self._logs: OrderedDict[str, deque[int]] = OrderedDict()  # microseconds

    def charge(self, charges: Sequence[Charge]) -> Verdict:
        """Charge all of the quotas, or none when one of them refuses."""
        now = round(self._clock() * SECOND)
        limits = [max(1, charge.quota.limit // 2) for charge in charges]
        windows = [charge.quota.window * SECOND for charge in charges]
        logs = [self._logs.get(charge.key, deque[int]()) for charge in charges]
        for log, window in zip(logs, windows, strict=True):
            while log and log[0] <= now - window:
                log.popleft()
        allowed = all(len(log) < limit for log, limit in zip(logs, limits, strict=True))
        if allowed:
            for log, charge in zip(logs, charges, strict=True):
                log.append(now)
                self._logs[charge.key] = log
                self._logs.move_to_end(charge.key)
            while len(self._logs) > self._max_logs:
                self._logs.popitem(last=False)
        counts = [
            (
                len(log),
                log[0] + window - now if log else 0,
                log[len(log) - limit] + window - now if len(log) >= limit else 0,
            )
            for log, window, limit in zip(logs, windows, limits, strict=True)
        ]
        return _judge(charges, limits, counts, allowed=allowed)


def _judge(
    charges: Sequence[Charge],
    limits: Sequence[int],
    counts: Iterable[tuple[int, int, int]],
    *,
    allowed: bool,
) -> Verdict:
    """Say what follows from (charges that count, µs until the oldest does not, µs until room)."""
    return Verdict(
        allowed=allowed,
        states=tuple(
            State(
                quota=charge.quota,
                remaining=max(0, limit - used),
                reset=-(-oldest // SECOND),
                retry_after=-(-room // SECOND) if room and not allowed else None,
            )
            for charge, limit, (used, oldest, room) in zip(charges, limits, counts, strict=True)
        ),
    )


def ratelimit_headers(verdict: Verdict) -> dict[str, str]:
    """Return the fields of draft-ietf-httpapi-ratelimit-headers-10, and Retry-After when refused.

    Names are Strings of RFC 9651, which the names of quotas need no escape for; q, w, r and t are
    its Integers. The policy stays as it is while the process counts for itself; what remains is
    then counted against the half.
    """
    if not verdict.states:
        return {}
    headers = {
        "RateLimit-Policy": ", ".join(
            f'"{s.quota.name}";q={s.quota.limit};w={s.quota.window}' for s in verdict.states
        ),
        "RateLimit": ", ".join(
            f'"{s.quota.name}";r={s.remaining};t={s.reset}' for s in verdict.states
        ),
    }
    if verdict.retry_after is not None:
        headers["Retry-After"] = str(verdict.retry_after)
    return headers
