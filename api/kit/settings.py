"""Settings: environment variables that begin with `PALAVER_`, each with a bound and a default."""

import re
import secrets
from contextlib import suppress
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from api.kit.smtp import parse_smtp_url

MIN_SECRET_LENGTH = 32
# As browsers send it: scheme, host in lower case, a port where it is not the usual one.
_ORIGIN = re.compile(r"https?://([a-z0-9.-]{1,253}|\[[0-9a-f:]{2,39}\])(:[0-9]{1,5})?")
# The same with a path, where a proxy serves the API below one.
_BASE_URL = re.compile(_ORIGIN.pattern + r"(/[A-Za-z0-9._~-]+)*")
_ADDRESS = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9.-]{1,253}"
# An address, or a name without special characters and an address.
_SENDER = re.compile(rf'{_ADDRESS}|[^<>@,;:"\\()]{{1,100}} <{_ADDRESS}>')


def _require_origin(value: str) -> str:
    if not _ORIGIN.fullmatch(value):
        raise ValueError(
            "list exact origins, such as https://forum.example,http://localhost:5173: "
            "lower case, and nothing behind"
        )
    return value


Network = IPv4Network | IPv6Network
Origin = Annotated[str, AfterValidator(_require_origin)]


def _choose_mail_dir(values: dict[str, Any]) -> Path | None:
    is_embedded = values.get("database_url") is None and "data_dir" in values
    return values["data_dir"] / "mail" if is_embedded else None


class SettingsError(Exception):
    """The settings do not allow a start; the message says what to set."""


class Settings(BaseSettings):
    """What an operator can set. Unset engine URLs mean: start the embedded ones."""

    model_config = SettingsConfigDict(
        env_prefix="PALAVER_", env_ignore_empty=True, frozen=True, hide_input_in_errors=True
    )

    # The URLs may hold passwords.
    database_url: str | None = Field(default=None, max_length=2000, repr=False)
    redis_url: str | None = Field(default=None, max_length=2000, repr=False)
    host: str = Field(default="127.0.0.1", max_length=255)
    port: int = Field(default=8000, ge=0, le=65535)
    # The address that readers know, for links in mails, feeds and push messages. By default the one
    # that the service listens on.
    public_url: str | None = Field(default=None, max_length=1000)
    data_dir: Annotated[Path, AfterValidator(Path.expanduser)] = Path(".palaver")
    secret_key: SecretStr | None = Field(default=None, max_length=1000)
    rate_limits_enabled: bool = True
    # Networks whose X-Forwarded-For is believed, comma separated: "10.0.0.0/8,127.0.0.1".
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode] = Field(default=(), max_length=100)
    # Exact origins, comma separated: "https://forum.example".
    cors_origins: Annotated[tuple[Origin, ...], NoDecode] = Field(default=(), max_length=100)
    # Whether pages on localhost, 127.0.0.1 and [::1], on any port, may call too. By default only
    # with the embedded database, which is for trying out and developing.
    cors_allow_localhost: bool = Field(
        default_factory=lambda values: values.get("database_url") is None
    )
    # Connections of clients that a process holds open, in all and for one address.
    max_connections: int = Field(default=4096, ge=16, le=1_000_000)
    max_connections_per_address: int = Field(default=256, ge=1, le=1_000_000)
    # Event streams that a process holds open: in all (and never more than half of the connections,
    # so that there is room for requests), for one address and for one person.
    max_streams: int = Field(default=2048, ge=0, le=1_000_000)
    max_streams_per_address: int = Field(default=64, ge=1, le=1_000_000)
    max_streams_per_person: int = Field(default=16, ge=1, le=1_000_000)
    # Seconds for the head of a request, and for a pause in its body.
    request_timeout: int = Field(default=10, ge=1, le=300)
    log_format: Literal["console", "json"] = "console"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    # Connections a process holds at most, for writing and again for reading.
    database_pool_size: int = Field(default=10, ge=1, le=200)
    # Bytes of answers that a process keeps in its memory.
    cache_bytes: int = Field(default=64 * 1024 * 1024, ge=0, le=16 * 1024**3)

    # A service of the site's own that is asked about each text, and the secret that signs requests
    # to it.
    screening_url: str | None = Field(default=None, max_length=2000, pattern=r"^https?://")
    screening_secret: SecretStr | None = Field(default=None, max_length=1000)
    # What becomes of a text when a service does not respond: published, or held.
    screening_fails: Literal["open", "closed"] = "open"
    # A spam score with Akismet's API; the site is the address that the key was given for.
    akismet_key: SecretStr | None = Field(default=None, max_length=200)
    akismet_site: str | None = Field(default=None, max_length=2000)
    akismet_url: str = Field(
        default="https://rest.akismet.com/1.1/comment-check",
        max_length=2000,
        pattern=r"^https?://",
    )
    # Where mails are written as files while there is no mail server. By default only with the
    # embedded database.
    mail_dir: Annotated[Path, AfterValidator(Path.expanduser)] | None = Field(
        default_factory=_choose_mail_dir
    )
    # The mail server, and the sender of all mails: "Forum <forum@forum.example>".
    smtp_url: str | None = Field(default=None, max_length=2000, repr=False)
    mail_from: str | None = Field(default=None, max_length=320)
    # The hour of the day, in UTC, from which daily digests are sent, and on Mondays weekly ones.
    digest_hour: int = Field(default=7, ge=0, le=23)
    # Whether requests to other servers may go to private addresses: for development only.
    outgoing_allow_private: bool = False

    @field_validator("database_url")
    @classmethod
    def _require_postgres(cls, value: str | None) -> str | None:
        try:
            backend = "postgresql" if value is None else make_url(value).get_backend_name()
        except (ArgumentError, ValueError):  # the second of a port that is no number
            backend = ""
        if backend not in ("postgresql", "postgres"):
            raise ValueError("use postgresql://user:password@host/database")
        return value

    @field_validator("redis_url")
    @classmethod
    def _require_redis(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("use redis://host:6379/0, rediss:// for TLS, or unix:///path")
        return value

    @field_validator("public_url")
    @classmethod
    def _require_base_url(cls, value: str | None) -> str | None:
        if value is None:
            return None
        value = value.rstrip("/")
        if not _BASE_URL.fullmatch(value):
            raise ValueError("use https://forum.example, with a path if there is one, as /api")
        return value

    @field_validator("smtp_url")
    @classmethod
    def _require_smtp(cls, value: str | None) -> str | None:
        try:
            if value is not None:
                parse_smtp_url(value)
        except ValueError as error:  # also of a port that is no number
            raise ValueError(
                "use smtp://user:password@host:587 for STARTTLS, smtps://user:password@host:465 "
                "for TLS, or smtp://host:25?starttls=never"
            ) from error
        return value

    @field_validator("mail_from")
    @classmethod
    def _require_sender(cls, value: str | None) -> str | None:
        if value is not None and not (_SENDER.fullmatch(value) and value.isprintable()):
            raise ValueError("use forum@forum.example, or Forum <forum@forum.example>")
        return value

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _split_networks(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            return tuple(ip_network(part, strict=False) for part in _split(value))
        except ValueError as error:
            raise ValueError("list networks, such as 10.0.0.0/8,127.0.0.1") from error

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _split_origins(cls, value: object) -> object:
        return _split(value) if isinstance(value, str) else value

    @field_validator("secret_key")
    @classmethod
    def _require_long_secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < MIN_SECRET_LENGTH:
            raise ValueError(
                f"use at least {MIN_SECRET_LENGTH} characters, for example from: "
                'python3 -c "import secrets; print(secrets.token_urlsafe(48))"'
            )
        return value

    @model_validator(mode="after")
    def _require_what_belongs_together(self) -> "Settings":
        for first, second in (
            ("screening_url", "screening_secret"),
            ("akismet_key", "akismet_site"),
            ("smtp_url", "mail_from"),
            # A mail is read elsewhere: a link to the address listened on would lead nowhere.
            ("smtp_url", "public_url"),
        ):
            if getattr(self, first) is not None and getattr(self, second) is None:
                raise ValueError(f"{name_variable(first)} needs {name_variable(second)} beside it")
        return self

    @property
    def embeds_postgres(self) -> bool:
        """Whether PostgreSQL is started from the wheel."""
        return self.database_url is None

    @property
    def embeds_valkey(self) -> bool:
        """Whether Valkey is started from the wheel."""
        return self.redis_url is None


def name_variable(field: str) -> str:
    """Return the environment variable of a setting."""
    return f"PALAVER_{field.upper()}"


def require_secret(settings: Settings) -> str:
    """Return the secret that signs tokens and cursors. Raises SettingsError when there is none."""
    if settings.secret_key is None:
        raise SettingsError(
            "PALAVER_SECRET_KEY is not set. With PALAVER_DATABASE_URL it is required, the same on "
            "every server: with secrets of their own they would refuse each other's tokens. "
            'Make one with: python3 -c "import secrets; print(secrets.token_urlsafe(48))"'
        )
    return settings.secret_key.get_secret_value()


def keep_secret(data_dir: Path) -> SecretStr:
    """Return the secret of a data folder, made the first time."""
    path = data_dir / "secret_key"
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        # Linked when complete: of two processes that start together, both read the same secret.
        with NamedTemporaryFile("w", dir=data_dir) as file:
            file.write(secrets.token_urlsafe(48))
            file.flush()
            with suppress(FileExistsError):
                path.hardlink_to(file.name)
    return SecretStr(path.read_text(encoding="ascii"))


def _split(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())
