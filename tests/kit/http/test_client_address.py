"""The client's address: what may be invented changes nothing."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from api.kit.http.client_address import LOCAL, client_address, subject_of

TRUSTED = (ip_network("10.0.0.0/8"), ip_network("2001:db8:ffff::/48"))


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "expected"),
    [
        pytest.param("198.51.100.7", [], "198.51.100.7", id="no proxy"),
        pytest.param("198.51.100.7", ["192.0.2.1"], "198.51.100.7", id="peer is not trusted"),
        pytest.param("10.0.0.1", ["192.0.2.1"], "192.0.2.1", id="one proxy"),
        pytest.param("10.0.0.1", ["192.0.2.1, 10.0.0.2"], "192.0.2.1", id="two proxies"),
        pytest.param("10.0.0.1", ["192.0.2.1", "10.0.0.2"], "192.0.2.1", id="two lines"),
        pytest.param("10.0.0.1", ["203.0.113.5, 192.0.2.1"], "192.0.2.1", id="invented"),
        pytest.param("10.0.0.1", ["10.9.9.9, 192.0.2.1"], "192.0.2.1", id="invented as trusted"),
        pytest.param("10.0.0.1", ["203.0.113.5", "192.0.2.1"], "192.0.2.1", id="invented line"),
        pytest.param("10.0.0.1", [], "10.0.0.1", id="the proxy asks for itself"),
        pytest.param("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3", id="trusted to the end"),
        pytest.param("10.0.0.1", ["192.0.2.1, unknown"], "10.0.0.1", id="the proxy didn't know"),
        pytest.param("10.0.0.1", ["192.0.2.1, , "], "192.0.2.1", id="empty elements"),
        pytest.param("10.0.0.1", ["192.0.2.1:5533"], "192.0.2.1", id="with a port"),
        pytest.param("10.0.0.1", ["[2001:db8::1]:5533"], "2001:db8::1", id="IPv6 with a port"),
        pytest.param("::ffff:10.0.0.1", ["192.0.2.1"], "192.0.2.1", id="mapped proxy"),
        pytest.param("10.0.0.1", ["::ffff:192.0.2.1"], "192.0.2.1", id="mapped client"),
        pytest.param("2001:db8:ffff::1", ["2001:DB8:0::1"], "2001:db8::1", id="IPv6"),
        pytest.param("fe80::1%eth0", [], "fe80::1", id="zone"),
        pytest.param(None, [], LOCAL, id="unix socket"),
        pytest.param(None, ["192.0.2.1"], LOCAL, id="unix socket with a header"),
        pytest.param("testclient", ["192.0.2.1"], LOCAL, id="no address"),
        pytest.param("", [], LOCAL, id="nothing"),
    ],
)
def test_whose_request_it_is(peer, forwarded_for, expected):
    assert client_address(peer, forwarded_for, TRUSTED) == expected


@pytest.mark.parametrize(
    ("address", "subject"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        (LOCAL, LOCAL),
    ],
)
def test_who_pays(address, subject):
    assert subject_of(address) == subject


ADDRESSES = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str)
PROXIES = st.ip_addresses(v=4, network="10.0.0.0/8").map(str) | st.ip_addresses(
    v=6, network="2001:db8:ffff::/48"
).map(str)
# What a header can hold: text without controls, addresses, and lists of both.
INVENTED = st.lists(
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30) | ADDRESSES | PROXIES,
    max_size=5,
).map(", ".join)


def is_trusted(address: str) -> bool:
    return any(ip_address(address) in network for network in TRUSTED)


def unmap(address: str) -> str:
    parsed = ip_address(address)
    return str(parsed.ipv4_mapped or parsed) if isinstance(parsed, IPv6Address) else address


@given(
    client=ADDRESSES.filter(lambda address: not is_trusted(unmap(address))),
    proxies=st.lists(PROXIES, min_size=1, max_size=4),
    invented=st.lists(INVENTED, max_size=3),
    split=st.integers(min_value=0, max_value=4),
)
@example(client="::ffff:192.0.2.9", proxies=["10.0.0.1"], invented=[""], split=0)
def test_no_invented_header_makes_a_new_bucket(client, proxies, invented, split):
    """Each proxy appends whom it was asked by, on the same line or on one more."""
    chain = [client, *proxies[:-1]]
    lines = [*invented[:-1], ", ".join([*invented[-1:], *chain[:split]])]
    if chain[split:]:
        lines.append(", ".join(chain[split:]))
    assert client_address(proxies[-1], lines, TRUSTED) == unmap(client)


@given(
    st.none() | st.text(max_size=20) | ADDRESSES,
    st.lists(INVENTED | st.text(max_size=20), max_size=3),
)
def test_the_answer_is_always_an_address_or_local(peer, forwarded_for):
    answer = client_address(peer, forwarded_for, TRUSTED)
    assert answer == LOCAL or str(ip_address(answer)) == answer
    subject = subject_of(answer)
    assert subject == LOCAL or ip_network(subject).num_addresses in {1, 2**64}
    assert subject_of(answer) == subject_of(subject.removesuffix("/64"))


@given(st.ip_addresses(v=6).filter(lambda address: address.ipv4_mapped is None), st.data())
def test_one_customer_has_one_subject(address, data):
    neighbour = IPv6Address(
        int(address) >> 64 << 64 | data.draw(st.integers(min_value=0, max_value=2**64 - 1))
    )
    if neighbour.ipv4_mapped is None:
        assert subject_of(str(neighbour)) == subject_of(str(address))
    stranger = IPv6Address(int(address) ^ 1 << data.draw(st.integers(min_value=64, max_value=127)))
    assert subject_of(str(stranger)) != subject_of(str(address))


def test_an_ipv4_address_is_a_subject_of_its_own():
    assert subject_of(str(IPv4Address("192.0.2.1"))) != subject_of(str(IPv4Address("192.0.2.2")))
