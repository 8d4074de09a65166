"""The address of a client, which rate limits use, also behind proxies (decision 0023)."""

from collections.abc import Iterator, Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
)

LOCAL = "local"  # the peer is a unix socket, or no address at all
IPV6_SUBJECT_PREFIX = 64  # a provider gives each customer at least this much


def client_address(
    peer: str | None,
    forwarded_for: Sequence[str],
    trusted: Sequence[IPv4Network | IPv6Network],
) -> str:
    """Return the address from which the outermost trusted proxy received the request.

    `peer` is the other end of the connection, `forwarded_for` the X-Forwarded-For lines in their
    order, `trusted` the networks of our own proxies. Each proxy appends the address of its client,
    so the list is read from the right for as long as the proxy that wrote an entry is trusted; what
    is further left may be invented, and is ignored. Where a trusted proxy wrote no address
    ("unknown"), the proxy's own is returned. A peer without an address is "local".
    """
    address = _parse(peer or "")
    if address is None:
        return LOCAL
    hops = _read_from_right(forwarded_for)
    while _is_trusted(address, trusted):
        hop = _parse(next(hops, ""))
        if hop is None:
            break
        address = hop
    return str(address)


def is_trusted_peer(peer: str | None, trusted: Sequence[IPv4Network | IPv6Network]) -> bool:
    """Return whether the other end of a connection is one of our own proxies."""
    address = _parse(peer or "")
    return address is not None and _is_trusted(address, trusted)


def subject_of(address: str) -> str:
    """Return what one customer has: an IPv4 address, an IPv6 network of 64 bits, or "local"."""
    parsed = _parse(address)
    if parsed is None:
        return LOCAL
    if isinstance(parsed, IPv4Address):
        return str(parsed)
    return str(IPv6Network((parsed, IPV6_SUBJECT_PREFIX), strict=False))


def _read_from_right(lines: Sequence[str]) -> Iterator[str]:
    for line in reversed(lines):
        for part in reversed(line.split(",")):
            if part.strip():  # a list may have empty elements (RFC 9110, 5.6.1)
                yield part.strip()


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    """Parse an address, with or without a port or zone; an IPv4-mapped one becomes IPv4."""
    host = text
    if text.startswith("["):  # [2001:db8::1]:443
        host = text[1:].partition("]")[0]
    elif text.count(":") == 1:  # 192.0.2.1:443
        host = text.partition(":")[0]
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _is_trusted(
    address: IPv4Address | IPv6Address, trusted: Sequence[IPv4Network | IPv6Network]
) -> bool:
    return any(address in network for network in trusted)
