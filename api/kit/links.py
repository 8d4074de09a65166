"""Absolute links to this service, for what is read elsewhere: mails, feeds, push messages."""

from urllib.parse import quote, urlencode

from api.kit.settings import Settings

# Where to reach a server that listens on every address.
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - looked up, not bound


def make_base_url(host: str, port: int) -> str:
    """Return the URL at which this machine reaches a server that listens on an address."""
    host = _ANYWHERE.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def get_public_url(settings: Settings) -> str:
    """Return the address of the service as its readers know it, without a slash at the end."""
    return settings.public_url or make_base_url(settings.host, settings.port)


def make_link(settings: Settings, path: str, **query: str) -> str:
    """Return the absolute URL of a path, such as "/v1/articles/on-docking-ports".

    `path` is not yet percent-encoded.
    """
    link = get_public_url(settings) + quote(path, safe="/@:")
    return f"{link}?{urlencode(query)}" if query else link
