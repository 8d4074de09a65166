"""`palaver doctor`: a line for each thing that was looked at, and what to do."""

import asyncpg
from pydantic import SecretStr

from api.cli.doctor import diagnose
from api.kit.settings import Settings
from tests.cli.conftest import SECRET, Outcome, Run
from tests.connections import connect_arguments


def read_findings(outcome: Outcome) -> dict[str, str]:
    """Return what was said of each subject, after "ok" or "FAIL"."""
    assert outcome.err == ""
    lines = [line.partition(": ") for line in outcome.out.splitlines()]
    return {head.split()[1]: f"{head.split()[0]} {rest}" for head, _, rest in lines}


async def test_all_is_fine(palaver: Run) -> None:
    outcome = await palaver("doctor")
    found = read_findings(outcome)
    assert outcome.code == 0
    assert list(found) == ["settings", "database", "schema", "redis"]
    assert all(finding.startswith("ok ") for finding in found.values())
    assert "PostgreSQL" in found["database"]


async def test_a_schema_that_is_missing_or_behind(palaver: Run, empty_database: str) -> None:
    outcome = await palaver("doctor", PALAVER_DATABASE_URL=empty_database)
    found = read_findings(outcome)
    assert outcome.code == 1
    assert found["schema"].startswith("FAIL at nothing, wanted is 0")
    assert found["schema"].endswith("Run 'palaver migrate'.")
    assert found["database"].startswith("ok ")

    await palaver("migrate", PALAVER_DATABASE_URL=empty_database)
    connection = await asyncpg.connect(**connect_arguments(empty_database))
    await connection.execute("UPDATE alembic_version SET version_num = '0001'")
    await connection.close()
    found = read_findings(await palaver("doctor", PALAVER_DATABASE_URL=empty_database))
    assert found["schema"].startswith("FAIL at 0001, wanted is 0")


async def test_a_schema_that_serve_sees_to_is_no_fault(empty_database: str, redis_url: str) -> None:
    settings = Settings(
        database_url=empty_database, redis_url=redis_url, secret_key=SecretStr(SECRET)
    )
    findings = {f.subject: f for f in await diagnose(settings, migrates_itself=True)}
    assert findings["schema"].is_fine
    assert "'palaver serve' sees to it" in findings["schema"].message


async def test_what_is_away_is_told_with_its_variable(palaver: Run) -> None:
    outcome = await palaver(
        "doctor",
        PALAVER_DATABASE_URL="postgresql://nobody:hidden@127.0.0.1:1/none",
        PALAVER_REDIS_URL="redis://:hidden@127.0.0.1:1/0",
    )
    found = read_findings(outcome)
    assert outcome.code == 1
    assert list(found) == ["settings", "database", "redis"]
    assert found["settings"].startswith("ok ")
    for subject, variable in (
        ("database", "PALAVER_DATABASE_URL"),
        ("redis", "PALAVER_REDIS_URL"),
    ):
        assert found[subject].startswith("FAIL cannot be used: ")
        assert variable in found[subject]
    assert "hidden" not in outcome.out


async def test_a_variable_that_means_nothing(palaver: Run) -> None:
    outcome = await palaver("doctor", PALAVER_PROT="8001")
    found = read_findings(outcome)
    assert outcome.code == 1
    assert found["settings"].startswith("FAIL PALAVER_PROT")
    assert "PALAVER_PORT" in found["settings"]
    assert found["database"].startswith("ok ")


async def test_a_secret_that_is_missing(palaver: Run) -> None:
    outcome = await palaver("doctor", PALAVER_SECRET_KEY=None)
    assert outcome.code == 1
    assert read_findings(outcome)["settings"].startswith("FAIL PALAVER_SECRET_KEY is not set")
