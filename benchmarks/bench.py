"""What every row works with: the servers that run, the data, the people who write, and the time."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import asyncpg

from benchmarks.engines import Engines
from benchmarks.load import Load, Request, run_load
from benchmarks.responses import BROWSER, calling
from benchmarks.servers import Pinning, Server

WRITERS = 32
REPLY = "This is a reply. It says *something* of a usual length, and then some more about it."
_PASSWORD = "a password for benchmarks"
_SETTLE_SECONDS = 20.0
_LOGIN_SECONDS = 300.0
# A response may differ from another by this share in size and still count as the same bytes: a
# header holds a date, and a Connection header may be sent or not.
_SAME = 0.01

Place = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long a segment of each kind lasts, in seconds, and how many fresh reads are wanted."""

    reads: float
    writes: float
    mix: float
    pages: float
    deeper_pages: float
    fresh: float
    fresh_reads: int


FULL = Timing(reads=5, writes=8, mix=15, pages=10, deeper_pages=40, fresh=150, fresh_reads=100_000)
QUICK = Timing(reads=1, writes=2, mix=3, pages=2, deeper_pages=8, fresh=12, fresh_reads=5000)


@dataclass(slots=True)
class Bench:
    """A run."""

    engines: Engines
    pinning: Pinning
    timing: Timing
    # Comments of the largest article.
    largest: int
    service: Server
    # What one row found and another goes on from.
    found: dict[str, float] = field(default_factory=dict)
    # Rows that were measured, and what the service's process held after each, in MiB.
    memory: list[tuple[str, float]] = field(default_factory=list)
    _tokens: list[str] = field(default_factory=list)
    _logged_in_at: float = 0.0
    _registered: int = 0

    def load(
        self,
        server: Server,
        requests: Sequence[Request],
        *,
        seconds: float,
        connections: int = 32,
        rate: float | None = None,
    ) -> Load:
        """Ask a server. Raises RuntimeError when some requests failed."""
        found = run_load(
            server,
            requests,
            seconds=seconds,
            core=self.pinning.load,
            connections=connections,
            rate=rate,
        )
        if found.failed or not found.requests:
            raise RuntimeError(
                f"{server.name}: {found.failed} of {found.requests} requests failed: "
                f"{found.statuses}, {found.errors} broken connections"
            )
        return found

    def article_id(self, slug: str) -> str:
        """Return an article's id."""
        query = "SELECT id::text FROM articles WHERE slug = $1"
        return str(self.engines.ask(lambda c: c.fetchval(query, slug)))

    def find_places(self, like: str, each: int) -> list[Place]:
        """Return, of the articles with such slugs, so many comments each that bear a reply."""

        async def find(connection: asyncpg.Connection) -> list[Place]:
            rows = await connection.fetch(
                "SELECT a.id::text AS article, c.id::text AS parent FROM articles a "
                "CROSS JOIN LATERAL (SELECT id FROM comments WHERE article_id = a.id AND listed "
                "  AND depth < 50 ORDER BY created_at, id LIMIT $2) c "
                "WHERE a.slug LIKE $1 ORDER BY a.slug, c.id",
                like,
                each,
            )
            return [(row["article"], row["parent"]) for row in rows]

        return self.engines.ask(find)

    def log_in(self) -> list[str]:
        """Return access tokens of all writers, good for some minutes; tokens last ten."""
        if self._tokens and time.monotonic() < self._logged_in_at + _LOGIN_SECONDS:
            return self._tokens
        with calling(self.service) as caller:
            tokens = []
            for number in range(WRITERS):
                handle = f"bench-{number}"
                if number >= self._registered:
                    person = {
                        "handle": handle,
                        "email": f"{handle}@example.com",
                        "password": _PASSWORD,
                    }
                    caller.ask("POST", "/v1/users", expected=201, content=person)
                    self._registered += 1
                login = {"login": handle, "password": _PASSWORD}
                response = caller.ask("POST", "/v1/sessions", expected=201, content=login)
                tokens.append(response.content["access_token"])
        self._tokens, self._logged_in_at = tokens, time.monotonic()
        return tokens

    def make_replies(self, places: Sequence[Place]) -> list[Request]:
        """Return a reply to each place, by one of the writers."""
        random, tokens = Random(1), self.log_in()
        return [
            Request(
                target=f"/v1/articles/{article}/comments",
                headers=BROWSER | {"Authorization": f"Bearer {random.choice(tokens)}"},
                method="POST",
                body=json.dumps({"body": f"{REPLY} No. {number}.", "parent_id": parent}),
                tag="write",
            )
            for number, (article, parent) in enumerate(places)
        ]

    def make_log_ins(self, number: int) -> list[Request]:
        """Return a log-in of each of so many writers."""
        self.log_in()
        return [
            Request(
                target="/v1/sessions",
                headers=BROWSER,
                method="POST",
                body=json.dumps({"login": f"bench-{index}", "password": _PASSWORD}),
                tag="log-in",
            )
            for index in range(number)
        ]

    def settle(self) -> None:
        """Wait until the worker has nothing left to do, so that it does not count for the next."""
        waiting = (
            "SELECT EXISTS (SELECT FROM events WHERE relayed_at IS NULL)"
            " OR EXISTS (SELECT FROM deliveries)"
        )
        deadline = time.monotonic() + _SETTLE_SECONDS
        while time.monotonic() < deadline and self.engines.ask(lambda c: c.fetchval(waiting)):
            time.sleep(0.2)


def check_same_bytes(ours: Load, other: Load) -> None:
    """Raise RuntimeError unless both sent responses of one size."""
    if abs(ours.bytes_per_response / other.bytes_per_response - 1) > _SAME:
        raise RuntimeError(
            f"the responses differ: {ours.bytes_per_response:.0f} and "
            f"{other.bytes_per_response:.0f} bytes each"
        )


def describe_load(load: Load, what: str) -> dict[str, Any]:
    """Return what is kept of a load in the results."""
    return {
        "what": what,
        "rate": round(load.rate, 1),
        "server_microseconds": round(load.microseconds, 1),
        "server_share": round(load.server_share, 2),
        "load_share": round(load.load_share, 2),
        "latencies_ms": {
            tag: {"p50": round(one.p50, 2), "p90": round(one.p90, 2), "p99": round(one.p99, 2)}
            for tag, one in load.latencies.items()
        },
    }
