"""What follows from a reply: notifications of people, and messages to other servers."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from statistics import median

import asyncpg

from benchmarks.bench import Bench, Place, describe_load
from benchmarks.load import Load
from benchmarks.measure import alternate
from benchmarks.responses import CapturedResponse, calling, serving_limit
from benchmarks.rows.row import Finding
from benchmarks.servers import Server

_CONNECTIONS = 16
# Deliveries that one worker has to make.
_DELIVERIES = 1000
_WEBHOOKS = 10
_TARGET = "/hook"
_TAKEN = CapturedResponse(
    method="POST", target=_TARGET, status=200, headers=[("content-length", "0")], body=b""
)
# So often the worker's work is waited for, which takes longer than to ask for it.
_PATIENCE = 10


def measure_deliveries(bench: Bench) -> Finding:
    """Let one worker send messages about replies to a server on this machine."""
    _drain(bench)
    rates = {}
    for number in (1, _WEBHOOKS):
        with _receiving(bench, number):
            bench.engines.ask(_enqueue)
            _drain(bench)
            rates[number] = bench.engines.ask(_read_rate)
    return Finding(
        value=rates[_WEBHOOKS],
        note=f"To {_WEBHOOKS} webhooks; to a single one, of which two messages are under way at "
        f"most, {rates[1]:,.0f}/s. Each is read, rendered, signed, sent on a connection of its own "
        "and logged.",
        samples={str(number): round(rate, 1) for number, rate in rates.items()},
    )


def measure_notified(bench: Bench) -> Finding:
    """Reply where people and a server are told of it, and where nobody is, in turns."""
    bench.log_in()
    bench.engines.ask(_prepare_threads)
    loads: dict[str, list[Load]] = {"notified": [], "quiet": []}
    counted: list[float] = []

    def load(kind: str, digits: str) -> float:
        places = _find_places(bench, digits)
        found = bench.load(
            bench.service,
            bench.make_replies(places),
            seconds=bench.timing.writes,
            connections=_CONNECTIONS,
        )
        loads[kind].append(found)
        return found.rate

    def notified() -> float:
        _drain(bench)
        before = bench.engines.ask(_count)
        with _receiving(bench, 1):
            rate = load("notified", "56789")
            _drain(bench)
        notifications, replies = (
            after - earlier
            for after, earlier in zip(bench.engines.ask(_count), before, strict=True)
        )
        counted.append(notifications / replies)
        return rate

    rates = alternate(notified, lambda: load("quiet", "01234"))
    ours, other = rates.medians
    return Finding(
        value=rates.ratio,
        note=f"{ours:,.0f}/s with {median(counted):.0f} notifications for each reply (two "
        "followers and the author of the comment) and a webhook, "
        f"{other:,.0f}/s without. A reply takes "
        f"{median(one.microseconds for one in loads['notified']) / 1000:.1f} ms of the service's "
        f"processor time, and {median(one.microseconds for one in loads['quiet']) / 1000:.1f} ms.",
        samples={kind: [describe_load(one, kind) for one in all_] for kind, all_ in loads.items()},
    )


@contextmanager
def _receiving(bench: Bench, number: int) -> Iterator[Server]:
    """Run a server that takes every message, with so many webhooks."""
    headers = {"Authorization": f"Bearer {bench.log_in()[0]}"}
    bench.engines.ask(_appoint)
    with serving_limit([_TAKEN], None) as receiver:
        body = {
            "url": f"http://127.0.0.1:{receiver.port}{_TARGET}",
            "event_types": ["comment.created"],
        }
        with calling(bench.service) as caller:
            for _ in range(number):
                caller.ask("POST", "/v1/webhooks", expected=201, headers=headers, content=body)
        try:
            yield receiver
        finally:
            bench.engines.ask(_delete_webhooks)


def _drain(bench: Bench) -> None:
    for _ in range(_PATIENCE):
        bench.settle()


def _find_places(bench: Bench, digits: str) -> Sequence[Place]:
    """Return comments under those small articles whose number ends with one of the digits."""
    found = (bench.find_places(f"bench-small-%{digit}", 3) for digit in digits)
    return list(chain.from_iterable(found))


async def _appoint(connection: asyncpg.Connection) -> None:
    await connection.execute("UPDATE users SET role = 'admin' WHERE handle = 'bench-0'")


async def _delete_webhooks(connection: asyncpg.Connection) -> None:
    await connection.execute("DELETE FROM webhooks; DELETE FROM webhook_attempts")


async def _enqueue(connection: asyncpg.Connection) -> None:
    """Let every webhook be told of comments, as if they had just been written."""
    await connection.execute(
        """
        WITH written AS (
            INSERT INTO events (type, payload, created_at, relayed_at)
            SELECT 'comment_created', jsonb_build_object(
                'article_id', c.article_id, 'version', c.version, 'comment_id', c.id,
                'parent_id', c.parent_id, 'author_id', c.author_id, 'mentioned_ids', '[]'::jsonb
            ), now(), now()
            FROM comments c JOIN articles a ON a.id = c.article_id
            WHERE a.slug LIKE 'bench-small-%' AND c.state = 'visible' AND c.author_id IS NOT NULL
            LIMIT $1 / (SELECT count(*) FROM webhooks)
            RETURNING id
        )
        INSERT INTO deliveries (event_id, consumer, target, due_at, created_at)
        SELECT e.id, 'webhooks', w.id::text, now(), now() FROM written e CROSS JOIN webhooks w
        """,
        _DELIVERIES,
    )


async def _read_rate(connection: asyncpg.Connection) -> float:
    """Return how many messages were sent a second. Raises RuntimeError where one was not taken."""
    row = await connection.fetchrow(
        "SELECT count(*), count(*) FILTER (WHERE error IS NOT NULL) AS failed,"
        " extract(epoch FROM max(created_at) - min(created_at)) AS seconds FROM webhook_attempts"
    )
    if row["failed"] or row["count"] != _DELIVERIES:
        raise RuntimeError(f"{row['failed']} of {row['count']} messages were not taken")
    return int(row["count"]) / float(row["seconds"])


async def _count(connection: asyncpg.Connection) -> tuple[int, int]:
    """Return how many notifications and how many replies there are."""
    row = await connection.fetchrow(
        "SELECT (SELECT count(*) FROM notifications),"
        " (SELECT count(*) FROM events WHERE type = 'comment_created')"
    )
    return row[0], row[1]


async def _prepare_threads(connection: asyncpg.Connection) -> None:
    """Give half of the small articles two followers, and take whoever is notified from the rest."""
    await connection.execute(
        """
        -- Nobody follows a thread because of a reply: all segments are alike.
        INSERT INTO notification_settings (user_id, follows_own_threads)
        SELECT id, false FROM users WHERE handle LIKE 'bench-%' ON CONFLICT DO NOTHING;
        UPDATE comments c SET author_id = NULL FROM articles a
        WHERE a.id = c.article_id AND a.slug ~ '^bench-small-[0-9]*[0-4]$';
        UPDATE articles SET author_id = NULL WHERE slug ~ '^bench-small-[0-9]*[0-4]$';
        INSERT INTO article_subscriptions (user_id, article_id, level, created_at)
        SELECT u.id, a.id, 'all', now() FROM articles a CROSS JOIN (
            SELECT id FROM users WHERE handle LIKE 'writer-%' ORDER BY id LIMIT 2
        ) u WHERE a.slug ~ '^bench-small-[0-9]*[5-9]$' ON CONFLICT DO NOTHING;
        ANALYZE articles, comments, article_subscriptions
        """
    )
