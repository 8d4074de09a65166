"""Cursors: only what this service made, for the list that it made it for."""

import string
from datetime import UTC, datetime
from urllib.parse import parse_qs, quote, urlsplit
from uuid import UUID

import pytest
from fastapi import Request, Response
from hypothesis import assume, given
from hypothesis import strategies as st

from api.kit.http.pagination import (
    MAX_CURSOR_LENGTH,
    InvalidCursor,
    decode_cursor,
    encode_cursor,
    link_next,
    open_cursor,
    seal_cursor,
)
from api.kit.services import Services
from api.kit.signing import Signer
from tests.client import Client, expect, expect_problem

SIGNER = Signer("a secret for the tests, long enough")
# What base64url is made of, what else base64 decoders put up with, and what they do not.
CHARACTERS = string.ascii_letters + string.digits + "-_+/=\n .~é\0"

payloads = st.binary(max_size=300)
numbers = st.integers(-(2**53), 2**53) | st.floats(-1e9, 1e9)
scalars = st.none() | st.booleans() | numbers | st.text()


@given(st.lists(scalars, max_size=5), st.text())
def test_a_position_comes_back_as_it_was(position: list[object], bound_to: str) -> None:
    cursor = encode_cursor(SIGNER, bound_to, position)
    assert decode_cursor(SIGNER, bound_to, cursor) == position


def test_ids_and_times_come_back_as_their_texts() -> None:
    now, one = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC), UUID(int=7)
    at, found = decode_cursor(SIGNER, "x", encode_cursor(SIGNER, "x", [now, one]))
    assert (datetime.fromisoformat(at), UUID(found)) == (now, one)


@given(payloads, st.integers(min_value=0), st.sampled_from(CHARACTERS))
def test_any_other_character_anywhere_is_noticed(payload: bytes, at: int, other: str) -> None:
    cursor = seal_cursor(SIGNER, "list", payload)
    at %= len(cursor)
    assume(cursor[at] != other)
    with pytest.raises(InvalidCursor):
        open_cursor(SIGNER, "list", cursor[:at] + other + cursor[at + 1 :])


@given(payloads, st.data())
def test_characters_that_are_added_or_missing_are_noticed(
    payload: bytes, data: st.DataObject
) -> None:
    cursor = seal_cursor(SIGNER, "list", payload)
    at = data.draw(st.integers(0, len(cursor)))
    added = data.draw(st.text(st.sampled_from(CHARACTERS), min_size=1, max_size=3))
    for changed in (cursor[:at] + added + cursor[at:], cursor[:at]):
        if changed != cursor:
            with pytest.raises(InvalidCursor):
                open_cursor(SIGNER, "list", changed)


@given(st.text(max_size=MAX_CURSOR_LENGTH))
def test_no_text_is_a_cursor_by_chance(text: str) -> None:
    with pytest.raises(InvalidCursor):
        open_cursor(SIGNER, "list", text)


@given(payloads, st.text(), st.text())
def test_a_cursor_is_good_for_its_own_list_only(payload: bytes, one: str, other: str) -> None:
    assume(one != other)
    cursor = seal_cursor(SIGNER, one, payload)
    assert open_cursor(SIGNER, one, cursor) == payload
    with pytest.raises(InvalidCursor):
        open_cursor(SIGNER, other, cursor)


def test_a_cursor_of_another_server_is_refused() -> None:
    cursor = seal_cursor(Signer("another secret, quite as long as the first"), "list", b"x")
    with pytest.raises(InvalidCursor):
        open_cursor(SIGNER, "list", cursor)


def test_the_link_is_a_header_whatever_the_path_was_written_in() -> None:
    path = "/v1/users/\u212aim/comments"  # KELVIN SIGN, of which the lower case is k
    scope = {
        "type": "http",
        "path": path,
        "query_string": b"limit=1&tag=caf%C3%A9",
        "headers": [],
    }
    response = Response()
    link_next(Request(scope), response, "abc")
    assert response.headers["link"] == (
        f'<{quote(path)}?limit=1&tag=caf%C3%A9&cursor=abc>; rel="next"'
    )


async def test_links_lead_through_a_list_once_and_end(client: Client, services: Services) -> None:
    person = await client.join("kim")
    titles = [f"Number {number}" for number in range(5)]
    for title in titles:
        article = await person.post_article(title)
        await person.reply(article["id"])
    for path in ("/v1/articles", f"/v1/users/{quote(chr(0x212A))}im/comments"):
        seen: list[str] = []
        url = f"{path}?limit=2"
        while url:
            page = await client.get(url)
            body = expect(page, 200)
            seen += [one["id"] for one in body["data"]]
            assert body["page"]["has_more"] == ("link" in page.headers)
            url = page.links["next"]["url"] if "link" in page.headers else ""
            if url:
                assert parse_qs(urlsplit(url).query) == {
                    "limit": ["2"],
                    "cursor": [body["page"]["next_cursor"]],
                }
        assert len(seen) == len(set(seen)) == 5


async def test_a_cursor_that_does_not_fit_is_a_400(client: Client) -> None:
    person = await client.join()
    for _ in range(2):
        await person.post_article()
    page = expect(await client.get("/v1/articles?limit=1"), 200)
    cursor = page["page"]["next_cursor"]
    expect(await client.get(f"/v1/articles?limit=1&cursor={cursor}"), 200)
    for query in (
        f"cursor={cursor}x",
        f"cursor={cursor[:-1]}",
        "cursor=",
        f"cursor={cursor}&sort=active",
        f"cursor={cursor}&tag=space",
        f"cursor={cursor}&author={person.handle}",
    ):
        expect_problem(await client.get(f"/v1/articles?limit=1&{query}"), 400, "invalid_cursor")
    too_long = await client.get(f"/v1/articles?cursor={'x' * (MAX_CURSOR_LENGTH + 1)}")
    expect_problem(too_long, 422, "validation_failed")
    elsewhere = await client.get(f"/v1/users/{person.handle}/comments?cursor={cursor}")
    expect_problem(elsewhere, 400, "invalid_cursor")
