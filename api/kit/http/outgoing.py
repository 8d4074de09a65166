"""Requests to other servers, whose addresses come from settings or from users.

A name is resolved once, all its addresses have to be public, and the connection goes to one of
those: a name that leads elsewhere the next time gains nothing. No redirects, no proxies of the
environment, no cookies; time and size of the response are bounded.
"""

import asyncio
import functools
import ipaddress
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from urllib.parse import SplitResult, urlsplit

import h11

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

_CHUNK = 16 * 1024
_BUSY = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
_SECONDS = re.compile(r"[0-9]{1,6}")


class OutgoingError(Exception):
    """The request got no usable response; the message says why, without contents."""


class ForbiddenAddressError(OutgoingError):
    """The name leads to an address that is not public."""


@dataclass(frozen=True, slots=True)
class OutgoingResponse:
    """What another server responded."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def find_pause(self) -> timedelta:
        """Return how long a server that is busy asks to be left alone; dates are not read."""
        seconds = self.headers.get("retry-after", "")
        if self.status not in _BUSY or not _SECONDS.fullmatch(seconds):
            return timedelta()
        return timedelta(seconds=int(seconds))


def is_public(address: str) -> bool:
    """Return whether an address is one of the public internet, in every way to read it."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if not parsed.is_global or parsed.is_multicast or parsed.is_reserved:
        return False
    # Reserved are all of ::/8, so also what embeds an IPv4 address: mapped, compatible and NAT64.
    return isinstance(parsed, ipaddress.IPv4Address) or not (
        parsed.is_site_local or parsed.sixtofour or parsed.teredo
    )


async def resolve(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a host. Raises OSError."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingClient:
    """Sends requests to public addresses.

    `allows_private` is for tests and development only: it lets requests go to any address.
    """

    allows_private: bool = False
    # In seconds, from resolving the name to the last byte of the response.
    timeout: float = 10.0
    # In bytes, of the response's body.
    max_response: int = 64 * 1024
    # Whether a larger one is cut off there; otherwise it is an error.
    truncates: bool = False
    resolve: Resolve = resolve

    async def check(self, url: str) -> None:
        """Raise what `send` would raise for a URL before it connects."""
        try:
            async with asyncio.timeout(self.timeout):
                parts, port = _parse_url(url)
                await self._choose_address(parts.hostname or "", port)
        except TimeoutError as error:
            raise OutgoingError("the name was not resolved in time") from error
        except (OSError, UnicodeError) as error:
            raise OutgoingError("the name leads to no address") from error

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes = b"",
        timeout: float | None = None,  # noqa: ASYNC109 - the one bound of the whole exchange
    ) -> OutgoingResponse:
        """Return the response to one request, whatever its status; redirects are not followed.

        Raises ForbiddenAddressError, or OutgoingError when there is no response in time.
        """
        try:
            async with asyncio.timeout(timeout or self.timeout):
                return await self._exchange(method, url, headers, body)
        except TimeoutError as error:
            raise OutgoingError("no response in time") from error
        except (OSError, h11.ProtocolError, UnicodeError) as error:
            # TLS errors are OSErrors. Their texts name no contents, but long paths.
            raise OutgoingError(type(error).__name__) from error

    async def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> OutgoingResponse:
        parts, port = _parse_url(url)
        host = parts.hostname or ""
        address = await self._choose_address(host, port)
        is_secure = parts.scheme == "https"
        context = _make_tls_context() if is_secure else None
        reader, writer = await asyncio.open_connection(
            address, port, ssl=context, server_hostname=host if is_secure else None
        )
        try:
            request = h11.Request(
                method=method,
                target=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
                headers=[
                    ("Host", parts.netloc),
                    ("Connection", "close"),
                    ("Content-Length", str(len(body))),
                    *headers.items(),
                ],
            )
            return await self._speak(reader, writer, request, body)
        finally:
            writer.close()
            with suppress(OSError, asyncio.CancelledError):
                await asyncio.wait_for(writer.wait_closed(), 0.1)

    async def _choose_address(self, host: str, port: int) -> str:
        """Return one address of a host. Raises ForbiddenAddressError unless all are public."""
        addresses = await self.resolve(host, port)
        if not addresses:
            raise OutgoingError("the name leads to no address")
        if not self.allows_private and not all(map(is_public, addresses)):
            raise ForbiddenAddressError("the name leads to an address that is not public")
        return addresses[0]

    async def _speak(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        request: h11.Request,
        body: bytes,
    ) -> OutgoingResponse:
        connection = h11.Connection(h11.CLIENT)
        events = (request, h11.Data(data=body), h11.EndOfMessage())
        writer.write(b"".join(connection.send(event) or b"" for event in events))
        await writer.drain()
        response: h11.Response | None = None
        content = bytearray()
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                connection.receive_data(await reader.read(_CHUNK))
            elif isinstance(event, h11.Response):
                response = event
            elif isinstance(event, h11.Data):
                content += event.data
                if len(content) > self.max_response:
                    if not self.truncates:
                        raise OutgoingError("the response is too large")
                    del content[self.max_response :]
                    break
            elif isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
                break
        if response is None:
            raise OutgoingError("the connection was closed without a response")
        found = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in response.headers
        }
        return OutgoingResponse(response.status_code, found, bytes(content))


def _parse_url(url: str) -> tuple[SplitResult, int]:
    """Return the parts of a URL that names a host, and its port. Raises OutgoingError."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise OutgoingError("not a URL") from error
    if parts.scheme not in ("http", "https") or not host or parts.username is not None:
        raise OutgoingError("not an http or https URL without credentials")
    return parts, port or (443 if parts.scheme == "https" else 80)


@functools.cache
def _make_tls_context() -> ssl.SSLContext:
    """Return the context of all requests: to load the authorities takes milliseconds."""
    return ssl.create_default_context()
