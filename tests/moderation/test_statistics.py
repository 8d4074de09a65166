"""Figures by day and by rule, which stay right when the decisions behind them are purged."""

from typing import Any

from sqlalchemy import text

from api.jobs import KEEP_DRY_RUNS, KEEP_SCREENING_DECISIONS
from api.kit.services import Services
from tests.client import expect, expect_problem
from tests.conftest import MovableClock
from tests.moderation.conftest import Forum
from tests.screening.rules import add_rules, list_decisions
from tests.working import run_jobs

PATH = "/v1/moderation/statistics"


async def read_figures(forum: Forum, first: Any, last: Any) -> dict[str, Any]:
    params = {"from": first.isoformat(), "to": last.isoformat()}
    figures: dict[str, Any] = expect(await forum.moderator.client.get(PATH, params=params), 200)
    return figures


async def write(forum: Forum, article: str, *bodies: str) -> list[str]:
    return [(await forum.author.reply(article, body))["id"] for body in bodies]


async def test_figures_are_those_of_what_happened_and_outlive_the_decisions(
    forum: Forum, services: Services, clock: MovableClock
) -> None:
    await add_rules(
        services, ("word", "blorp", "hold"), ("word", "gronk", "flag"), ("word", "zwib", "reject")
    )
    article = (await forum.reader.post_article())["id"]
    day = clock.now().date()
    held = await write(forum, article, "blorp 1", "blorp 2", "blorp 3", "blorp and gronk")
    flagged, fine = await write(forum, article, "gronk", "Fine.")
    for _ in range(2):
        refused = await forum.author.client.post(
            f"/v1/articles/{article}/comments", {"body": "zwib"}
        )
        expect_problem(refused, 422, "comment_rejected")
    clock.advance(seconds=100)
    await forum.act("approve", held[0])
    await forum.act("remove", held[1], flagged)
    await forum.act("remove", fine)
    await forum.act("restore", fine)
    clock.advance(seconds=100)
    await forum.act("approve", held[2])
    figures = await read_figures(forum, day, day)
    [today] = figures["days"]
    counts = {name: today[name] for name in ("received", "held", "flagged", "reported", "decided")}
    # What was rejected was not stored; one still waits.
    assert counts == {"received": 6, "held": 4, "flagged": 1, "reported": 0, "decided": 4}
    assert [today[name] for name in ("approved", "hidden", "removed", "restored")] == [2, 0, 3, 1]
    # By the clock of the test, which goes on by itself, too.
    assert 100 <= today["median_seconds"] < 150 < today["slow_seconds"] < 300
    rules = {one["rule"]: one for one in figures["rules"]}
    names = ("held", "flagged", "rejected", "approved", "upheld", "precision")
    assert {rule: tuple(one[name] for name in names) for rule, one in rules.items()} == {
        "word: blorp": (4, 0, 0, 2, 1, 1 / 3),
        "word: zwib": (0, 0, 2, 0, 0, None),
        "word: gronk": (0, 1, 0, 0, 1, 1.0),
    }
    clock.advance(days=KEEP_SCREENING_DECISIONS.days + 1)
    forum.moderator = await forum.client.log_in("staff-moderator")
    forum.author = await forum.client.log_in("olga")
    late = await write(forum, article, "blorp at last")
    for _ in range(2):
        await run_jobs(services)
        assert (await read_figures(forum, day, day))["rules"] == figures["rules"]
    # What waits is shown with what was found in it, however long it waits.
    kept = {str(one["comment_id"]) for one in await list_decisions(services)}
    assert kept == {held[3], *late}
    [item, _] = await forum.queue()
    assert {one["rule"] for one in item["findings"]} == {"word: blorp", "word: gronk"}
    await forum.act("approve", held[3])
    await run_jobs(services)
    [blorp] = [one for one in (await read_figures(forum, day, day))["rules"] if one["held"]]
    assert (blorp["held"], blorp["approved"], blorp["rule_id"]) == (
        4,
        3,
        rules["word: blorp"]["rule_id"],
    )


async def test_old_dry_runs_are_purged(
    forum: Forum, services: Services, clock: MovableClock
) -> None:
    body = {"rules": [{"kind": "word", "value": "blorp", "action": "hold"}]}
    expect(await forum.moderator.client.post("/v1/moderation/rules/dry-run", body), 202)
    clock.advance(days=KEEP_DRY_RUNS.days - 1)
    forum.moderator = await forum.client.log_in("staff-moderator")
    expect(await forum.moderator.client.post("/v1/moderation/rules/dry-run", body), 202)
    clock.advance(days=2)
    await run_jobs(services)
    async with services.database.read_session() as session:
        assert await session.scalar(text("SELECT count(*) FROM dry_runs")) == 1


async def test_a_period_has_bounds(forum: Forum) -> None:
    for first, last in (("2026-01-02", "2026-01-01"), ("2026-01-01", "2026-12-31")):
        params = {"from": first, "to": last}
        refused = await forum.moderator.client.get(PATH, params=params)
        expect_problem(refused, 422, "invalid_period")
