"""`palaver doctor`: a line for each thing that was looked at, and what to do."""

import tempfile
from pathlib import Path

import asyncpg

from api.cli.doctor import diagnose
from api.embedded.engines import Engines, running
from api.kit.settings import Settings
from tests.cli.conftest import Outcome, Run
from tests.connections import connect_arguments
from tests.mail_server import running_mail_server


def read_findings(outcome: Outcome) -> dict[str, str]:
    """Return what was said of each subject, after "ok" or "FAIL"."""
    assert outcome.err == ""
    lines = [line.partition(": ") for line in outcome.out.splitlines()]
    return {head.split()[1]: f"{head.split()[0]} {rest}" for head, _, rest in lines}


async def test_all_is_fine(palaver: Run) -> None:
    outcome = await palaver("doctor")
    found = read_findings(outcome)
    assert outcome.code == 0
    assert list(found) == ["settings", "database", "schema", "redis", "mail"]
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


async def test_a_schema_that_serve_migrates_is_no_fault(
    empty_database: str, redis_url: str
) -> None:
    engines = Engines(database_url=empty_database, redis_url=redis_url)
    findings = {f.subject: f for f in await diagnose(Settings(), engines)}
    assert findings["schema"].is_fine
    assert "'palaver serve' migrates it" in findings["schema"].message


async def test_embedded_engines_are_looked_at_and_nothing_is_created(
    palaver: Run, tmp_path: Path
) -> None:
    unset = {"PALAVER_DATABASE_URL": None, "PALAVER_REDIS_URL": None, "PALAVER_SECRET_KEY": None}
    data = tmp_path / "data"
    outcome = await palaver("doctor", **unset)
    found = read_findings(outcome)
    assert outcome.code == 0
    assert list(found) == ["settings", "database", "redis", "mail"]
    assert found["database"].startswith(f"ok embedded, not running, without data in {data}")
    assert found["redis"].startswith("ok embedded, not running")
    assert not data.exists()

    (data / "postgres").mkdir(parents=True)
    (data / "postgres" / "PG_VERSION").write_text("18\n")
    found = read_findings(await palaver("doctor", **unset))
    assert "with data of PostgreSQL 18" in found["database"]
    (data / "postgres" / "PG_VERSION").write_text("9.6\n")
    outcome = await palaver("doctor", **unset)
    assert outcome.code == 1
    assert "made by PostgreSQL 9.6" in read_findings(outcome)["database"]
    assert [path.name for path in data.rglob("*")] == ["postgres", "PG_VERSION"]


async def test_embedded_engines_that_run_are_asked(palaver: Run) -> None:
    unset = {"PALAVER_DATABASE_URL": None, "PALAVER_REDIS_URL": None, "PALAVER_SECRET_KEY": None}
    # Not below pytest's folder, which is closed to the account that the servers run as.
    with tempfile.TemporaryDirectory(prefix="palaver-test-") as name:
        data = Path(name) / "data"
        with running(data):
            before = sorted(path.name for path in data.iterdir())
            outcome = await palaver("doctor", PALAVER_DATA_DIR=str(data), **unset)
            assert sorted(path.name for path in data.iterdir()) == before
    found = read_findings(outcome)
    assert outcome.code == 0
    assert found["database"].startswith("ok PostgreSQL 18")
    assert found["schema"].startswith("ok at nothing, wanted is 0")
    assert found["redis"].startswith("ok Valkey")


async def test_what_cannot_be_reached_is_named_with_its_variable(palaver: Run) -> None:
    outcome = await palaver(
        "doctor",
        PALAVER_DATABASE_URL="postgresql://nobody:hidden@127.0.0.1:1/none",
        PALAVER_REDIS_URL="redis://:hidden@127.0.0.1:1/0",
    )
    found = read_findings(outcome)
    assert outcome.code == 1
    assert list(found) == ["settings", "database", "redis", "mail"]
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


async def test_mail_is_sent_written_or_neither(palaver: Run) -> None:
    found = read_findings(await palaver("doctor"))
    assert found["mail"].startswith("ok No mail is sent: set PALAVER_SMTP_URL")
    found = read_findings(await palaver("doctor", PALAVER_MAIL_DIR="/mails"))
    assert found["mail"].startswith("ok Mails are written to /mails: set PALAVER_SMTP_URL")
    known = {
        "PALAVER_MAIL_FROM": "forum@forum.example",
        "PALAVER_PUBLIC_URL": "https://forum.example",
    }
    async with running_mail_server() as server:
        url = f"smtp://127.0.0.1:{server.port}?starttls=never"
        found = read_findings(await palaver("doctor", PALAVER_SMTP_URL=url, **known))
        assert found["mail"] == f"ok 127.0.0.1:{server.port} takes mails"
        url = f"smtp://u:hidden@127.0.0.1:{server.port}"
        outcome = await palaver("doctor", PALAVER_SMTP_URL=url, **known)
    assert outcome.code == 1
    assert "hidden" not in outcome.out
    assert "cannot be used: SMTPException. Check PALAVER_SMTP_URL" in outcome.out
