"""Dry runs: what rules would have found, with progress, bounds, and a restart after a crash."""

from typing import Any

import pytest
from sqlalchemy import text

from api.kit.services import Services
from api.moderation.rules import service
from tests.client import Client, Person, expect, expect_problem
from tests.forest import grow
from tests.screening.rules import list_decisions
from tests.working import work_off

PATH = "/v1/moderation/rules/dry-run"


@pytest.fixture
async def moderator(make_staff: Any) -> Person:
    person: Person = await make_staff("moderator")
    return person


async def start(moderator: Person, **body: Any) -> str:
    response = await moderator.client.post(PATH, body)
    assert expect(response, 202)["is_done"] is False
    return str(response.headers["location"])


async def test_a_dry_run_shows_what_rules_would_find_and_does_nothing(
    client: Client, services: Services, moderator: Person
) -> None:
    author = await client.join()
    article = (await author.post_article())["id"]
    bodies = ("A bl0rp.", "Fine.", "See https://bad.example", "blorp, then gronk")
    ids = [(await author.reply(article, body))["id"] for body in bodies]
    rule = {"kind": "word", "value": "gronk", "action": "reject", "is_enabled": False}
    known = expect(await moderator.client.post("/v1/moderation/rules", rule), 201)
    path = await start(
        moderator,
        rules=[
            {"kind": "word", "value": "blorp", "action": "hold"},
            {"kind": "domain", "value": "bad.example", "action": "flag"},
        ],
        rule_ids=[known["id"]],
    )
    assert expect(await moderator.client.get(path), 200)["scanned"] == 0
    await work_off(services)
    done = expect(await moderator.client.get(path), 200)
    assert (done["is_done"], done["scanned"], done["matched"]) == (True, 4, 3)
    found = [(one["comment_id"], one["value"], one["start"], one["end"]) for one in done["matches"]]
    assert found == [
        (ids[3], "blorp", 0, 5),
        (ids[3], "gronk", 12, 17),
        (ids[2], "bad.example", 12, 23),
        (ids[0], "blorp", 2, 7),
    ]
    tree = await client.tree(article)
    assert [node["state"] for node in tree["data"]] == ["visible"] * 4
    assert await list_decisions(services) == []


async def execute(services: Services, statement: str) -> None:
    async with services.database.write_session() as session:
        await session.execute(text(statement))


async def test_a_dry_run_is_bounded_and_goes_on_after_a_crash(
    client: Client, services: Services, moderator: Person
) -> None:
    batch = service.BATCH
    author = await client.join()
    article = (await author.post_article())["id"]
    await grow(services, article, [None] * (3 * batch))
    rules = [{"kind": "pattern", "value": ".", "action": "flag"}]
    path = await start(moderator, rules=rules, limit=2 * batch + 5)
    stop = "ALTER TABLE dry_runs ADD CONSTRAINT stop CHECK (scanned <= :most) NOT VALID"
    await execute(services, stop.replace(":most", str(2 * batch)))
    try:
        await work_off(services)
    finally:
        await execute(services, "ALTER TABLE dry_runs DROP CONSTRAINT stop")
    halfway = expect(await moderator.client.get(path), 200)
    assert (halfway["is_done"], halfway["scanned"]) == (False, 2 * batch)
    event = service.DryRunRequested(dry_run_id=halfway["id"])
    for _ in range(2):
        await service.run_dry_run(services, event)
    done = expect(await moderator.client.get(path), 200)
    looked_at = 2 * batch + 5
    assert (done["is_done"], done["scanned"], done["matched"]) == (True, looked_at, looked_at)
    assert len({one["comment_id"] for one in done["matches"]}) == looked_at


async def test_what_cannot_be_tried_is_refused(moderator: Person) -> None:
    for body in (
        {},
        {"rules": [{"kind": "pattern", "value": "(", "action": "hold"}]},
        {"rules": [{"kind": "word", "value": "blorp", "action": "hold"}], "limit": 10_001},
    ):
        expect_problem(await moderator.client.post(PATH, body), 422, "validation_failed")
    missing = {"rule_ids": ["0198f2c5-6f7a-7c3e-9d2b-3a1f5e8c7b60"]}
    expect_problem(await moderator.client.post(PATH, missing), 404, "rule_not_found")
