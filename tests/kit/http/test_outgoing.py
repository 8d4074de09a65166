"""Requests to other servers: only to public addresses, one exchange, within bounds."""

from collections.abc import Sequence

import pytest

from api.kit.http.outgoing import (
    ForbiddenAddressError,
    OutgoingClient,
    OutgoingError,
    is_public,
)
from tests.servers import running_server

OPEN = OutgoingClient(allows_private=True, timeout=5)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254", "0.0.0.1"),
        *("100.64.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"),
        *("::1", "::", "fe80::1%eth0", "fc00::1", "ff02::1", "2001:db8::1", "::ffff:127.0.0.1"),
        *(
            "64:ff9b::5db8:d70e",
            "::127.0.0.1",
            "::7f00:1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
        ),
        *("2001:0:7f00:1::", "fec0::1", "no address"),
    ],
)
def test_what_is_not_public_is_refused(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07::1"])
def test_what_is_public_is_not(address: str) -> None:
    assert is_public(address)


async def test_a_request_arrives_as_it_was_sent() -> None:
    async with running_server() as other:
        response = await OPEN.send("POST", other.url, headers={"X-One": "1"}, body=b"content")
        assert (response.status, response.body) == (200, b"{}")
        [(line, headers, body)] = other.requests
    assert line == "POST /check?x=1 HTTP/1.1"
    assert (headers["x-one"], headers["host"], body) == ("1", f"127.0.0.1:{other.port}", b"content")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"])
async def test_this_machine_is_not_asked(host: str) -> None:
    async with running_server() as other:
        with pytest.raises(ForbiddenAddressError):
            await OutgoingClient().send("GET", f"http://{host}:{other.port}/", headers={})
        assert other.requests == []


async def test_one_private_address_among_public_ones_is_enough_to_refuse() -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        return ["93.184.215.14", "10.0.0.1"]

    with pytest.raises(ForbiddenAddressError):
        await OutgoingClient(resolve=resolve).send("GET", "http://x.example/", headers={})


async def test_a_name_is_resolved_once_and_connected_to_as_resolved() -> None:
    """A name that leads elsewhere the second time must not be asked for a second time."""
    asked = []

    async with running_server() as other:

        async def rebind(host: str, port: int) -> Sequence[str]:
            asked.append(host)
            return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

        client = OutgoingClient(allows_private=True, resolve=rebind)
        url = f"http://rebinding.example:{other.port}/"
        assert (await client.send("GET", url, headers={})).status == 200
        [(_, headers, _)] = other.requests
    assert asked == ["rebinding.example"]
    assert headers["host"] == f"rebinding.example:{other.port}"


async def test_redirects_are_not_followed() -> None:
    async with running_server() as other, running_server() as elsewhere:
        other.respond("", status="302 Found", headers=f"Location: {elsewhere.url}\r\n")
        assert (await OPEN.send("GET", other.url, headers={})).status == 302
        assert elsewhere.requests == []


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_server() as other, running_server() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("http_proxy", proxy.url)
        await OPEN.send("GET", other.url, headers={})
        assert (len(other.requests), proxy.requests) == (1, [])


@pytest.mark.parametrize(
    "response",
    [
        None,
        b"",
        b"no HTTP\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 200_000,
        b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 200_000,
    ],
)
async def test_a_bad_response_is_an_error(response: bytes | None) -> None:
    async with running_server() as other:
        other.response = response
        client = OutgoingClient(allows_private=True, timeout=0.3 if response is None else 5)
        with pytest.raises(OutgoingError):
            await client.send("GET", other.url, headers={})


@pytest.mark.parametrize(
    "url",
    [
        *("ftp://x.example/", "http:///x", "http://a:b@x.example/", "http://[x/", "x"),
        *("http://x.example:99999/", "http://127.0.0.1:1/"),
        "http://x.example/\r\nX: y",
    ],
)
async def test_a_bad_url_is_an_error(url: str) -> None:
    with pytest.raises(OutgoingError):
        await OPEN.send("GET", url, headers={})


async def test_headers_cannot_carry_others() -> None:
    async with running_server() as other:
        with pytest.raises(OutgoingError):
            await OPEN.send("GET", other.url, headers={"X": "a\r\nY: b"})


async def test_a_large_response_is_cut_off_where_only_its_beginning_matters() -> None:
    async with running_server() as other:
        other.respond("x" * 200_000)
        client = OutgoingClient(allows_private=True, truncates=True, max_response=1000)
        response = await client.send("GET", other.url, headers={})
    assert (response.status, response.body) == (200, b"x" * 1000)


async def test_an_address_is_checked_without_a_connection() -> None:
    async with running_server() as other:
        await OPEN.check(other.url)
        with pytest.raises(ForbiddenAddressError):
            await OutgoingClient().check(other.url)
        assert other.requests == []
    for url in ("ftp://x.example/", "https://", "https://u:p@x.example/", "http://[::1"):
        with pytest.raises(OutgoingError):
            await OPEN.check(url)
