"""What load balancers, orchestrators and Prometheus are told."""

import dataclasses
from collections.abc import AsyncIterator

import pytest
from alembic.script import ScriptDirectory
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families

from api.kit.db.database import Database
from api.kit.db.migrations import alembic_config, find_head
from api.kit.services import Services
from tests.client import Client, expect, expect_problem
from tests.connections import connected_to
from tests.kit.conftest import OpenClient
from tests.migrating import make_database

AWAY = "postgresql://nobody@127.0.0.1:1/nothing"


@pytest.fixture
async def other_database(database_url: str, worker_name: str) -> AsyncIterator[str]:
    """The URL of an empty database."""
    async with make_database(database_url, f"palaver_probes_{worker_name}") as url:
        yield url


def with_database(services: Services, url: str) -> Services:
    return dataclasses.replace(services, database=Database(url, pool_size=1))


async def set_revision(url: str, revision: str) -> None:
    async with connected_to(url) as connection:
        await connection.execute("CREATE TABLE IF NOT EXISTS alembic_version (version_num text)")
        await connection.execute("DELETE FROM alembic_version")
        await connection.execute("INSERT INTO alembic_version VALUES ($1)", revision)


async def test_all_is_well(client: Client) -> None:
    for path in ("/livez", "/readyz"):
        response = await client.get(path)
        assert expect(response, 200) == {"status": "ok"}
        assert response.headers["cache-control"] == "no-store"


async def test_a_server_that_leaves_is_alive_and_not_ready(client: Client, app: FastAPI) -> None:
    app.state.draining = True
    response = await client.get("/readyz")
    expect_problem(response, 503, "not_ready")
    assert response.headers["retry-after"] == "2"
    expect(await client.get("/livez"), 200)
    expect(await client.get("/v1/articles"), 200)


async def test_without_its_database_it_is_alive_and_not_ready(
    services: Services, open_client: OpenClient
) -> None:
    async with open_client(with_database(services, AWAY)) as client:
        response = await client.get("/readyz")
        expect_problem(response, 503, "database_unavailable")
        assert response.headers["retry-after"] == "2"
        assert response.headers["cache-control"] == "no-store"
        expect(await client.get("/livez"), 200)
        assert (await client.get("/metrics")).status_code == 200


async def test_it_is_ready_with_the_schema_of_its_release_or_a_newer_one(
    services: Services, open_client: OpenClient, other_database: str
) -> None:
    earlier = [
        script.revision
        for script in ScriptDirectory.from_config(alembic_config()).walk_revisions()
        if script.revision != find_head()
    ]
    async with open_client(with_database(services, other_database)) as client:
        problem = expect_problem(await client.get("/readyz"), 503, "not_ready")
        assert "palaver migrate" in problem["detail"]
        for revision in earlier:
            await set_revision(other_database, revision)
            expect_problem(await client.get("/readyz"), 503, "not_ready")
        for revision in (find_head(), "of_a_newer_release"):
            await set_revision(other_database, revision)
            expect(await client.get("/readyz"), 200)


async def read_samples(client: Client) -> dict[tuple[str, str, str], float]:
    """Return the counts of answers and of durations by operation."""
    response = await client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain; version=")
    return {
        (sample.name, sample.labels["operation"], sample.labels.get("status", "")): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
        if sample.name in ("palaver_requests_total", "palaver_request_seconds_count")
    }


async def test_answers_are_counted_by_operation_and_status(client: Client) -> None:
    before = await read_samples(client)
    expect(await client.get("/v1/articles"), 200)
    expect(await client.get("/v1/articles?limit=0"), 422)
    expect(await client.get("/v1/articles/no-such-thing"), 404)
    after = await read_samples(client)
    grown = {key: after[key] - before.get(key, 0) for key in after}
    assert grown["palaver_requests_total", "list_articles", "200"] == 1
    assert grown["palaver_requests_total", "list_articles", "422"] == 1
    assert grown["palaver_requests_total", "read_article", "404"] == 1
    assert grown["palaver_request_seconds_count", "list_articles", ""] == 2


async def test_no_client_can_make_new_labels(client: Client) -> None:
    async def ask(word: str) -> None:
        await client.get(f"/{word}")
        await client.get(f"/v1/articles/{word}")
        await client.get(f"/docs/assets/{word}")
        await client.get(f"/v1/{word}%00")
        await client.request("DELETE", f"/{word}")
        await client.request(word.upper(), "/v1/articles")

    await read_samples(client)
    await ask("first")
    before = await read_samples(client)
    for number in range(5):
        await ask(f"word{number}")
    after = await read_samples(client)
    assert set(after) == set(before)
    assert after["palaver_requests_total", "none", "404"] > 5


async def test_the_engines_and_the_worker_are_counted_too(client: Client) -> None:
    names = {
        family.name
        for family in text_string_to_metric_families((await client.get("/metrics")).text)
    }
    assert {"palaver_redis_failures", "palaver_events_relayed", "palaver_deliveries_dead"} <= names
