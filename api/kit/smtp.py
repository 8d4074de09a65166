"""The mail server of the settings."""

from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

_SCHEMES = {"smtp": 587, "smtps": 465}
_STARTTLS = {"required": True, "never": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpServer:
    """Where mails are handed in."""

    host: str
    port: int
    username: str | None
    password: str | None = field(repr=False)
    # TLS from the first byte; otherwise STARTTLS, or none at all.
    uses_tls: bool
    uses_starttls: bool


def parse_smtp_url(url: str) -> SmtpServer:
    """Return the server of `smtp://user:password@host:587` or `smtps://…:465`.

    With `smtp`, STARTTLS is required unless the URL ends with `?starttls=never`. Raises ValueError.
    """
    parts = urlsplit(url)
    options = parse_qs(parts.query, keep_blank_values=True, max_num_fields=10)
    choice = options.pop("starttls", ["required"])
    is_secure = parts.scheme == "smtps"
    if (
        parts.scheme not in _SCHEMES
        or not parts.hostname
        or parts.path not in ("", "/")
        or parts.fragment
        or options
        or len(choice) != 1
        or choice[0] not in _STARTTLS
        or (is_secure and parts.query)
        or (parts.username is None) != (parts.password is None)
    ):
        raise ValueError("not the URL of a mail server")
    return SmtpServer(
        host=parts.hostname,
        port=parts.port or _SCHEMES[parts.scheme],
        username=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
        uses_tls=is_secure,
        uses_starttls=not is_secure and _STARTTLS[choice[0]],
    )
