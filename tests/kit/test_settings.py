"""Settings: each has a bound, and a message that says what to do."""

import os
import stat
import threading
from pathlib import Path

import pytest
from pydantic import SecretStr

from api.cli.environment import load_settings
from api.kit.links import get_public_url, make_link
from api.kit.settings import Settings, SettingsError, keep_secret, require_secret
from api.kit.smtp import SmtpServer, parse_smtp_url

SECRET = "s3cret-" * 8


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("PALAVER_"):
            monkeypatch.delenv(name)


def test_without_any_variable_everything_has_a_default() -> None:
    settings = Settings()
    assert settings.embeds_postgres
    assert settings.embeds_valkey
    assert settings.rate_limits_enabled
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)


def test_an_empty_variable_is_as_if_it_was_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.setenv(f"PALAVER_{name.upper()}", "")
    assert Settings() == Settings.model_construct(**Settings().model_dump())
    assert Settings().embeds_postgres


def test_local_pages_may_call_with_the_embedded_database_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert Settings().cors_allow_localhost
    # The address of the embedded database is filled in later.
    started = Settings().model_copy(update={"database_url": "postgresql://localhost/palaver"})
    assert started.cors_allow_localhost
    monkeypatch.setenv("PALAVER_CORS_ALLOW_LOCALHOST", "false")
    assert not Settings().cors_allow_localhost
    monkeypatch.delenv("PALAVER_CORS_ALLOW_LOCALHOST")
    monkeypatch.setenv("PALAVER_DATABASE_URL", "postgresql://db.example/forum")
    assert not Settings().cors_allow_localhost
    monkeypatch.setenv("PALAVER_CORS_ALLOW_LOCALHOST", "true")
    assert Settings().cors_allow_localhost


def test_what_is_set_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "DATABASE_URL": "postgres://u:p@db.example:5433/forum?sslmode=require",
        "REDIS_URL": "rediss://cache.example:6380/2",
        "PORT": "0",
        "SECRET_KEY": SECRET,
        "RATE_LIMITS_ENABLED": "false",
        "TRUSTED_PROXIES": " 10.1.2.3/8 , 127.0.0.1,, 2001:db8::/32",
        "CORS_ORIGINS": "https://forum.example, http://localhost:5173,http://[::1]:80",
        "LOG_FORMAT": "json",
    }.items():
        monkeypatch.setenv(f"PALAVER_{name}", value)
    settings = Settings()
    assert not settings.embeds_postgres
    assert [str(one) for one in settings.trusted_proxies] == [
        "10.0.0.0/8",
        "127.0.0.1/32",
        "2001:db8::/32",
    ]
    assert settings.cors_origins == (
        "https://forum.example",
        "http://localhost:5173",
        "http://[::1]:80",
    )
    assert not settings.rate_limits_enabled


@pytest.mark.parametrize(
    ("name", "value", "advice"),
    [
        ("DATABASE_URL", "mysql://u:geheim@h/x", "use postgresql://user:password@host/database"),
        ("DATABASE_URL", "geheim", "use postgresql://user:password@host/database"),
        ("DATABASE_URL", "postgresql://u:geheim@h:p/x", "use postgresql://"),
        ("DATABASE_URL", "postgresql://geheim/" + "x" * 2000, "at most 2000 characters"),
        ("REDIS_URL", "http://geheim", "use redis://host:6379/0"),
        ("HOST", "h" * 256, "at most 255 characters"),
        ("PORT", "-1", "greater than or equal to 0"),
        ("PORT", "65536", "less than or equal to 65535"),
        ("PORT", "http", "valid integer"),
        ("SECRET_KEY", "geheim", "at least 32 characters, for example from: python3 -c"),
        ("SECRET_KEY", "x" * 1001, "at most 1000"),
        ("RATE_LIMITS_ENABLED", "perhaps", "valid boolean"),
        ("TRUSTED_PROXIES", "10.0.0.0/8,everyone", "list networks, such as 10.0.0.0/8"),
        ("TRUSTED_PROXIES", ",".join(["10.0.0.1"] * 101), "at most 100 items"),
        ("CORS_ORIGINS", "*", "list exact origins, such as https://forum.example"),
        ("CORS_ORIGINS", "https://forum.example/", "list exact origins"),
        ("CORS_ORIGINS", "forum.example", "list exact origins"),
        ("CORS_ORIGINS", "https://*.example", "list exact origins"),
        ("CORS_ORIGINS", "https://Forum.example", "list exact origins"),
        ("CORS_ORIGINS", ",".join(["https://forum.example"] * 101), "at most 100 items"),
        ("PUBLIC_URL", "geheim.example", "use https://forum.example"),
        ("PUBLIC_URL", "https://forum.example/?geheim", "use https://forum.example"),
        ("SMTP_URL", "smtp://geheim@mail.example", "use smtp://user:password@host:587"),
        ("SMTP_URL", "smtp://mail.example:geheim", "use smtp://user:password@host:587"),
        ("SMTP_URL", "smtp://mail.example?starttls=geheim", "use smtp://user:password@host:587"),
        ("SMTP_URL", "smtps://mail.example?starttls=never", "use smtp://user:password@host:587"),
        ("SMTP_URL", "http://mail.example/geheim", "use smtp://user:password@host:587"),
        ("MAIL_FROM", "geheim", "use forum@forum.example"),
        ("MAIL_FROM", "Geheim <a@b.example>\nBcc: c@d.example", "use forum@forum.example"),
        ("DIGEST_HOUR", "24", "less than or equal to 23"),
        ("LOG_FORMAT", "xml", "'console' or 'json'"),
        ("LOG_LEVEL", "loud", "'debug', 'info', 'warning' or 'error'"),
        ("DATABASE_POOL_SIZE", "0", "greater than or equal to 1"),
        ("DATABASE_POOL_SIZE", "201", "less than or equal to 200"),
        ("CACHE_BYTES", "-1", "greater than or equal to 0"),
        ("CACHE_BYTES", str(2**40), "less than or equal to"),
    ],
)
def test_a_value_out_of_bounds_is_refused_with_advice_and_without_the_value(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, advice: str
) -> None:
    monkeypatch.setenv(f"PALAVER_{name}", value)
    with pytest.raises(SettingsError) as refusal:
        load_settings()
    message = str(refusal.value)
    assert message.startswith(f"PALAVER_{name}: ")
    assert advice in message
    assert "geheim" not in message
    assert len(message) < 300


def test_a_mail_server_needs_a_sender_and_links_that_lead_to_the_forum(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value, missing in (
        ("SMTP_URL", "smtp://u:geheim@mail.example", "MAIL_FROM"),
        ("MAIL_FROM", "Forum <forum@forum.example>", "PUBLIC_URL"),
    ):
        monkeypatch.setenv(f"PALAVER_{name}", value)
        with pytest.raises(SettingsError) as refusal:
            load_settings()
        assert str(refusal.value) == f"PALAVER_SMTP_URL needs PALAVER_{missing} beside it"
    monkeypatch.setenv("PALAVER_PUBLIC_URL", "https://forum.example")
    assert load_settings().public_url == "https://forum.example"


def test_no_secret_is_in_the_repr() -> None:
    settings = Settings(
        database_url=f"postgresql://u:{SECRET}@h/x",
        redis_url=f"redis://:{SECRET}@h/0",
        smtp_url=f"smtp://u:{SECRET}@h",
        mail_from="a@b.example",
        public_url="https://b.example",
        secret_key=SecretStr(SECRET),
    )
    assert SECRET not in repr(settings)
    assert SECRET not in str(settings)


def test_without_a_secret_one_is_told_how_to_make_it() -> None:
    with pytest.raises(SettingsError, match=r"PALAVER_SECRET_KEY is not set.*secrets\.token_urls"):
        require_secret(Settings())
    assert require_secret(Settings(secret_key=SecretStr(SECRET))) == SECRET


def test_the_secret_of_a_folder_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "data"
    found: list[SecretStr] = []
    threads = [threading.Thread(target=lambda: found.append(keep_secret(folder))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({secret.get_secret_value() for secret in found}) == 1
    assert len(found[0].get_secret_value()) >= 32
    assert keep_secret(folder) == found[0]
    assert [path.name for path in folder.iterdir()] == ["secret_key"]
    assert stat.S_IMODE((folder / "secret_key").stat().st_mode) == 0o600


def test_mails_are_files_with_the_embedded_database_only(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings(data_dir="data").mail_dir == Path("data/mail")
    started = Settings().model_copy(update={"database_url": "postgresql://localhost/palaver"})
    assert started.mail_dir == Path(".palaver/mail")
    monkeypatch.setenv("PALAVER_DATABASE_URL", "postgresql://db.example/forum")
    assert Settings().mail_dir is None
    monkeypatch.setenv("PALAVER_MAIL_DIR", "/mails")
    assert Settings().mail_dir == Path("/mails")


def test_links_begin_with_the_address_that_readers_know() -> None:
    assert get_public_url(Settings(host="::", port=8001)) == "http://[::1]:8001"
    assert get_public_url(Settings(host="::1")) == "http://[::1]:8000"
    settings = Settings(public_url="https://forum.example/api/")
    link = make_link(settings, "/v1/articles/öl & gas", token="a&b", kind="mention")
    assert link == (
        "https://forum.example/api/v1/articles/%C3%B6l%20%26%20gas?token=a%26b&kind=mention"
    )


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtps://u%40x:hid%2F@mail.example", ("mail.example", 465, "u@x", "hid/", True, False)),
        ("smtp://u:hidden@mail.example:2525", ("mail.example", 2525, "u", "hidden", False, True)),
        ("smtp://mail.example/", ("mail.example", 587, None, None, False, True)),
        ("smtp://[::1]:25?starttls=never", ("::1", 25, None, None, False, False)),
    ],
)
def test_the_url_of_a_mail_server(url: str, expected: tuple[object, ...]) -> None:
    server = parse_smtp_url(url)
    names = ("host", "port", "username", "password", "uses_tls", "uses_starttls")
    assert tuple(getattr(server, name) for name in names) == expected
    assert isinstance(server, SmtpServer)
    assert server.password is None or server.password not in repr(server)
