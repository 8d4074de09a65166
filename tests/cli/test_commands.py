"""What the commands do, and how they refuse: in a line that says what to mend."""

import json
import socket
import tomllib
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import make_url

from api.cli.server import listening, url_of
from api.kit.settings import Settings
from tests.cli.conftest import Outcome, Run
from tests.client import PASSWORD, Client, expect
from tests.connections import connect_arguments

THREAD = {
    "article": {"title": "A thread", "published_on": "2020-01-01"},
    "comments": [{"n": 1, "author": "Jo", "body": "One"}, {"n": 2, "replies_to": 1, "body": "Two"}],
}
ROOT = Path(__file__).parents[2]
NOBODY_LISTENS = "postgresql://nobody@127.0.0.1:1/none"


def expect_refusal(outcome: Outcome, *parts: str) -> None:
    """Expect one message on standard error, without a traceback, that holds these parts."""
    assert outcome.code == 1, outcome
    assert outcome.out == ""
    assert outcome.err.startswith("palaver: ")
    assert "Traceback" not in outcome.err
    for part in parts:
        assert part in outcome.err


async def test_openapi_prints_the_document_without_any_engine(palaver: Run, tmp_path: Path) -> None:
    unset = {"PALAVER_DATABASE_URL": None, "PALAVER_REDIS_URL": None, "PALAVER_SECRET_KEY": None}
    printed = await palaver("openapi", **unset)
    assert (printed.code, printed.err) == (0, "")
    document: dict[str, Any] = json.loads(printed.out)
    assert "/v1/articles/{article}/comments" in document["paths"]
    written = await palaver("openapi", str(tmp_path / "openapi.json"), **unset)
    assert written == Outcome(0, "", "")
    assert (tmp_path / "openapi.json").read_text() == printed.out
    assert not (tmp_path / "data").exists()


async def test_migrate_makes_the_schema_and_then_finds_it(
    palaver: Run, empty_database: str
) -> None:
    for _ in range(2):
        outcome = await palaver("migrate", PALAVER_DATABASE_URL=empty_database)
        assert outcome == Outcome(0, "The database has the newest schema.\n", "")
    found = await palaver("doctor", PALAVER_DATABASE_URL=empty_database)
    assert found.code == 0


async def test_migrate_says_why_it_cannot(palaver: Run, empty_database: str) -> None:
    away = await palaver("migrate", PALAVER_DATABASE_URL=NOBODY_LISTENS)
    expect_refusal(away, "Database unavailable", "127.0.0.1")
    missing = make_url(empty_database).set(database="no_such_one")
    outcome = await palaver(
        "migrate", PALAVER_DATABASE_URL=missing.render_as_string(hide_password=False)
    )
    expect_refusal(outcome, "no_such_one")
    connection = await asyncpg.connect(**connect_arguments(empty_database))
    await connection.execute("CREATE TABLE alembic_version (version_num text)")
    await connection.execute("INSERT INTO alembic_version VALUES ('9999')")
    await connection.close()
    newer = await palaver("migrate", PALAVER_DATABASE_URL=empty_database)
    expect_refusal(newer, "of another release", "9999")


@pytest.mark.parametrize("role", ["member", "moderator", "admin"])
async def test_user_create_makes_somebody_of_a_role(
    client: Client, palaver: Run, role: str
) -> None:
    outcome = await palaver(
        *("user", "create", "--handle", "Lee", "--email", "lee@example.com"),
        *("--role", role, "--password-stdin"),
        stdin=f"{PASSWORD}\n",
    )
    article = "an" if role == "admin" else "a"
    assert outcome == Outcome(0, f"lee is {article} {role} now.\n", "")
    person = await client.log_in("lee@example.com")
    me = expect(await person.client.get("/v1/me"), 200)
    assert (me["handle"], me["role"], me["email"]) == ("lee", role, "lee@example.com")


async def test_user_create_refuses_what_registering_refuses(client: Client, palaver: Run) -> None:
    await client.join("taken")
    for handle, email, password, part in (
        ("-", "lee@example.com", PASSWORD, "handle: "),
        ("lee", "nobody", PASSWORD, "email: "),
        ("lee", "lee@example.com", "short", "password: String should have at least 8"),
        ("lee", "lee@example.com", "", "password: "),
        ("taken", "lee@example.com", PASSWORD, "Handle taken. Choose another"),
    ):
        outcome = await palaver(
            *("user", "create", "--handle", handle, "--email", email, "--password-stdin"),
            stdin=f"{password}\n",
        )
        expect_refusal(outcome, part)
        assert not password or password not in outcome.err
    expect(await client.get("/v1/users/lee"), 404)
    usage = await palaver(
        *("user", "create", "--handle", "lee", "--email", "lee@example.com", "--role", "king")
    )
    assert usage.code == 2
    assert "king" in usage.err


async def test_import_says_what_it_came_to(client: Client, palaver: Run, tmp_path: Path) -> None:
    path = tmp_path / "thread.json"
    path.write_text(json.dumps(THREAD))
    first = await palaver("import", str(path))
    assert first.code == 0
    assert first.out == (
        "2 comments added, 0 were there already. Read them at /v1/articles/a-thread/comments\n"
    )
    again = await palaver("import", str(path))
    assert again.out.startswith("0 comments added, 2 were there already.")
    tree = await client.tree("a-thread")
    assert [node["body"] for node in tree["data"]] == ["One"]
    assert [node["body"] for node in tree["data"][0]["replies"]["data"]] == ["Two"]


async def test_import_refuses_in_a_line(client: Client, palaver: Run, tmp_path: Path) -> None:
    path = tmp_path / "thread.json"
    expect_refusal(await palaver("import", str(path)), "thread.json cannot be read: No such file")
    path.write_text("{")
    expect_refusal(await palaver("import", str(path)), "thread.json is not a thread file:")
    path.write_text(json.dumps({**THREAD, "comments": [{"n": 1, "body": "> " * 100 + "x"}]}))
    expect_refusal(await palaver("import", str(path)), "comment 1 renders to too much.")
    path.write_text(json.dumps(THREAD))
    away = await palaver("import", str(path), PALAVER_DATABASE_URL=NOBODY_LISTENS)
    expect_refusal(away, "Database unavailable")
    assert expect(await client.get("/v1/articles"), 200)["data"] == []


async def test_demo_says_who_can_log_in_and_is_safe_to_repeat(client: Client, palaver: Run) -> None:
    await client.join()
    expect_refusal(await palaver("demo"), "has users already", "palaver demo --force")
    first = await palaver("demo", "--force")
    assert first.code == 0, first
    assert first.out.startswith("12 people, 9 articles and ")
    logins = first.out.partition("password: ")[2]
    password, *_, handle = map(str.strip, logins.splitlines())
    expect(await client.post("/v1/sessions", {"login": handle, "password": password}), 201)
    again = await palaver("demo")
    assert again.out.startswith("0 people, 0 articles and 0 comments added.")
    assert again.out.partition("password: ")[2] == logins


@pytest.mark.parametrize("command", ["serve", "worker", "migrate", "doctor", "openapi"])
async def test_each_wrong_setting_is_named_with_its_variable(palaver: Run, command: str) -> None:
    wrong = {
        "PALAVER_DATABASE_URL": "mysql://user:hidden@host/name",
        "PALAVER_REDIS_URL": "memcached://:hidden@host",
        "PALAVER_PORT": "70000",
        "PALAVER_SECRET_KEY": "hidden",
        "PALAVER_LOG_FORMAT": "xml",
        "PALAVER_TRUSTED_PROXIES": "10.0.0.0/99",
        "PALAVER_CORS_ORIGINS": "*",
        "PALAVER_RATE_LIMITS_ENABLED": "perhaps",
        "PALAVER_DATABASE_POOL_SIZE": "0",
    }
    if command == "openapi":
        # It needs no engine, so it does not look at where they are.
        for name in ("PALAVER_DATABASE_URL", "PALAVER_REDIS_URL", "PALAVER_SECRET_KEY"):
            del wrong[name]
    outcome = await palaver(command, **wrong)
    expect_refusal(outcome, *(f"{name}: " for name in wrong))
    assert "hidden" not in outcome.err
    assert "Value error" not in outcome.err


async def test_the_version_is_the_one_of_the_distribution(palaver: Run) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert await palaver("--version") == Outcome(0, f"palaver {project['version']}\n", "")


async def test_serve_takes_host_and_port_instead_of_the_variables(
    palaver: Run, tmp_path: Path
) -> None:
    unset = {"PALAVER_DATABASE_URL": None, "PALAVER_REDIS_URL": None}
    with socket.create_server(("127.0.0.2", 0)) as listener:
        port = str(listener.getsockname()[1])
        outcome = await palaver("serve", "--host", "127.0.0.2", "--port", port, **unset)
    expect_refusal(outcome, f"Cannot listen on 127.0.0.2:{port}", "in use", "--port")
    outcome = await palaver("serve", "--port", "70000", **unset)
    expect_refusal(outcome, "PALAVER_PORT: Input should be less than or equal to 65535")
    assert not (tmp_path / "data").exists()


async def test_serve_wants_a_secret_with_a_database_of_its_own(palaver: Run) -> None:
    outcome = await palaver("serve", PALAVER_SECRET_KEY=None, PALAVER_PORT="0")
    expect_refusal(outcome, "PALAVER_SECRET_KEY is not set", "secrets.token_urlsafe")


async def test_serve_says_when_its_address_is_not_to_be_had(palaver: Run, tmp_path: Path) -> None:
    # The address is asked for before any engine is started.
    unset = {"PALAVER_DATABASE_URL": None, "PALAVER_REDIS_URL": None}
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        outcome = await palaver("serve", PALAVER_PORT=port, **unset)
    expect_refusal(outcome, f"Cannot listen on 127.0.0.1:{port}", "in use", "PALAVER_PORT")
    outcome = await palaver("serve", PALAVER_HOST="192.0.2.1", PALAVER_PORT="0", **unset)
    expect_refusal(outcome, "Cannot listen on 192.0.2.1:0", "PALAVER_HOST")
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("host", "found_at"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("0.0.0.0", "127.0.0.1"),  # noqa: S104 - that is the case
        ("::1", "[::1]"),
        ("::", "[::1]"),
    ],
)
def test_a_free_port_is_said_as_it_was_given(host: str, found_at: str) -> None:
    if ":" in host and not _has_ipv6():
        pytest.skip("this machine has no IPv6")
    with listening(Settings(host=host, port=0)) as listener:
        assert url_of(listener) == f"http://{found_at}:{listener.getsockname()[1]}"


def test_a_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PALAVER_DATA_DIR", "~/forum")
    assert Settings().data_dir == Path.home() / "forum"


def _has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True
