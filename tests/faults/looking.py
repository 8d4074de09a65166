"""What a forum holds after a fault, and waiting until it is well."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from tests.client import Client, expect
from tests.connections import connected_to
from tests.faults.servers import Engine, Palaver
from tests.waiting import PATIENCE, wait_until


@asynccontextmanager
async def connected(palaver: Palaver) -> AsyncIterator[Client]:
    """A stranger's client over real connections."""
    # No proxy of the environment: all of this stays on this machine.
    async with httpx.AsyncClient(base_url=palaver.url, timeout=PATIENCE, trust_env=False) as http:
        yield Client(http)


async def wait_until_ready(client: Client) -> None:
    """Ask until it is ready, and let nothing but a 503 come before."""

    async def is_ready() -> bool:
        response = await client.get("/readyz")
        assert response.status_code in (200, 503)
        return response.status_code == 200

    await wait_until(is_ready, pause=0.1)


async def wait_until_relayed(postgres: Engine) -> None:
    """Wait until a worker has made every delivery."""
    async with connected_to(postgres.url) as connection:
        await wait_until(
            lambda: connection.fetchval(
                "SELECT NOT EXISTS (SELECT FROM events WHERE relayed_at IS NULL)"
                " AND NOT EXISTS (SELECT FROM deliveries)"
            ),
            pause=0.1,
        )


async def read_comments(client: Client, article: str) -> list[tuple[str, str]]:
    """Return the text and the id of every comment."""
    found: list[tuple[str, str]] = []
    url = f"/v1/articles/{article}/comments/flat?limit=100"
    while url:
        page = await client.get(url)
        found += [(one["body"], one["id"]) for one in expect(page, 200)["data"]]
        url = page.links["next"]["url"] if "next" in page.links else ""
    return found


async def count_comments(postgres: Engine, article: str) -> tuple[int, int, int]:
    """Return how many comments there are, how many the article counts, and their events."""
    async with connected_to(postgres.url) as connection:
        row = await connection.fetchrow(
            "SELECT (SELECT count(*) FROM comments WHERE article_id = $1), comment_count, "
            "(SELECT count(*) FROM events WHERE article_id = $1 AND type = 'comment_created') "
            "FROM articles WHERE id = $1",
            article,
        )
    return tuple(row)


async def read_metric(client: Client, name: str) -> float:
    """Return the value of a metric without labels."""
    text = (await client.get("/metrics")).text
    [value] = re.findall(rf"^{name} (\S+)$", text, re.MULTILINE)
    return float(value)
