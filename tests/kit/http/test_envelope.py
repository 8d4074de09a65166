"""What goes around every answer: ids, headers, and no bare failure."""

import re
from urllib.parse import quote, unquote

import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message, Scope
from structlog.typing import EventDict

from api.kit.http.envelope import MAX_TARGET
from api.kit.services import Services
from tests.client import Client, expect, expect_problem
from tests.kit.conftest import OpenClient

SAFE = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}
SECRET = "the text of a defect"


@pytest.fixture
def broken(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every read of the database a defect."""

    def fail() -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr(type(services.database), "read_session", lambda _: fail())


@pytest.mark.parametrize("sent", ["abc", "0198f2c5-6f7a-7c3e-9d2b-3a1f5e8c7b60", "A._-" * 16])
async def test_a_plain_request_id_is_sent_back(client: Client, sent: str) -> None:
    response = await client.get("/livez", headers={"X-Request-Id": sent})
    assert response.headers.get_list("x-request-id") == [sent]


@pytest.mark.parametrize("sent", [None, "", "x" * 65, "two words", "a,b", "näh", '"', "a\tb"])
async def test_any_other_request_id_is_made_anew(client: Client, sent: str | None) -> None:
    headers = {} if sent is None else {"X-Request-Id": sent.encode()}
    first = await client.get("/v1/nothing", headers=headers)
    again = await client.get("/v1/nothing", headers=headers)
    ids = {response.headers["x-request-id"] for response in (first, again)}
    assert len(ids) == 2
    assert sent not in ids
    expect_problem(first, 404, "not_found")  # which compares the id with that in the body


async def test_a_request_leaves_a_line_with_its_id(client: Client, lines: list[EventDict]) -> None:
    await client.get("/v1/articles?tag=x", headers={"X-Request-Id": "abc"})
    [line] = lines
    assert line.pop("milliseconds") >= 0
    assert line == {
        "event": "request",
        "log_level": "info",
        "method": "GET",
        "path": "/v1/articles",
        "request_id": "abc",
        "status": 200,
    }


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/articles", 200),
        ("GET", "/v1/nothing", 404),
        ("GET", "/livez", 200),
        ("PUT", "/v1/articles", 405),
        ("POST", "/v1/sessions", 415),
        ("GET", "/openapi.json", 200),
        ("GET", "/", 307),
    ],
)
async def test_every_answer_has_safe_headers(
    client: Client, method: str, path: str, status: int
) -> None:
    response = await client.request(method, path)
    assert response.status_code == status
    assert {name: response.headers[name] for name in SAFE} == SAFE
    assert "server" not in response.headers


@pytest.mark.usefixtures("broken")
async def test_a_defect_is_a_problem_that_tells_nothing_of_itself(
    services: Services, open_client: OpenClient, lines: list[EventDict]
) -> None:
    async with open_client(services) as client:
        response = await client.get("/v1/articles", headers={"X-Request-Id": "abc"})
    problem = expect_problem(response, 500, "internal_error")
    assert problem["request_id"] == "abc"
    assert SECRET not in response.text
    assert "Runtime" not in response.text
    assert {name: response.headers[name] for name in SAFE} == SAFE
    assert response.headers["cache-control"] == "no-store"
    assert [(line["event"], line["log_level"], line["path"]) for line in lines] == [
        ("request_failed", "error", "/v1/articles"),
        ("request", "info", "/v1/articles"),
    ]


async def test_what_is_long_is_compressed_and_not_sent_again(client: Client) -> None:
    person = await client.join()
    article = await person.post_article(body="word " * 300)
    comment = await person.reply(article["id"], "word " * 300)
    await person.client.patch("/v1/me", {"display_name": "Somebody"}, headers={"If-Match": "*"})
    for path in (
        f"/v1/articles/{article['id']}",
        f"/v1/articles/{article['id']}/comments/flat",
        f"/v1/comments/{comment['id']}",
        f"/v1/users/{person.handle}/comments",
        "/openapi.json",
    ):
        plain = await client.get(path, headers={"Accept-Encoding": "identity"})
        assert "content-encoding" not in plain.headers
        tags = {plain.headers["etag"]}
        for encoding in ("gzip", "zstd"):
            packed = await client.get(path, headers={"Accept-Encoding": encoding})
            assert packed.headers["content-encoding"] == encoding, path
            assert packed.content == plain.content
            assert int(packed.headers["content-length"]) < len(plain.content) / 2
            tags.add(packed.headers["etag"])
            for tag in tags:
                seen = {"Accept-Encoding": encoding, "If-None-Match": tag}
                unchanged = await client.get(path, headers=seen)
                assert (unchanged.status_code, unchanged.content) == (304, b""), (path, tag)
                for name in ("etag", "cache-control", "vary"):
                    assert unchanged.headers[name] == packed.headers[name], (path, name)
        # A strong tag stands for the very bytes.
        assert len(tags) == (1 if plain.headers["etag"].startswith("W/") else 3)
    seen = (await client.get(f"/v1/comments/{comment['id']}")).headers["etag"]
    edited = await person.client.patch(
        f"/v1/comments/{comment['id']}", {"body": "Short."}, headers={"If-Match": seen}
    )
    expect(edited, 200)
    short = await client.get(f"/v1/comments/{comment['id']}")
    assert "content-encoding" not in short.headers


async def test_what_may_be_cached_and_by_whom(client: Client) -> None:
    person = await client.join()
    article = await person.post_article()
    thread = f"/v1/articles/{article['id']}"
    profile = f"/v1/users/{person.handle}"
    comment = await person.reply(article["id"], "word " * 300)
    public = ("/v1/articles", thread, f"{thread}/comments", f"{thread}/comments/flat", profile)
    public += (f"{profile}/comments", f"/v1/comments/{comment['id']}", "/openapi.json")
    for path in public:
        for asking in (client, person.client):
            read = await asking.get(path, headers={"Accept-Encoding": "gzip"})
            assert read.headers["cache-control"] == "public, no-cache", path
            # It is the same for everybody.
            vary = {name.strip() for name in read.headers["vary"].split(",")}
            assert vary == {"Accept-Encoding", "Origin"}, path
    for path in ("/v1/me", f"{thread}/viewer"):
        read = await person.client.get(path)
        assert read.headers["cache-control"] == "private, no-cache", path
        vary = {name.strip() for name in read.headers["vary"].split(",")}
        assert vary == {"Accept-Encoding", "Authorization", "Origin"}, path
    # What no route declares.
    for path in ("/v1/sessions", "/v1/users?prefix=person"):
        read = await person.client.get(path)
        assert (read.status_code, read.headers["cache-control"]) == (200, "no-store"), path
    created = await person.client.post(f"/v1/articles/{article['id']}/comments", {"body": "Hm."})
    assert created.headers["cache-control"] == "no-store"
    for refused in ("/v1/nothing", "/v1/me", "/v1/articles?limit=0", "/v1/articles?cursor=x"):
        response = await client.get(refused)
        assert response.status_code >= 400
        assert response.headers["cache-control"] == "no-store", refused
    assert (await client.get("/livez")).headers["cache-control"] == "no-store"


async def test_a_header_that_is_no_part_of_the_key_changes_no_public_answer(
    client: Client,
) -> None:
    person = await client.join()
    article = await person.post_article()
    path = f"/v1/articles/{article['id']}"
    plain = await client.get(path)
    for name, value in (
        ("Cookie", "session=1"),
        ("X-Forwarded-Host", "evil.example"),
        ("X-Forwarded-Proto", "https"),
        ("Host", "evil.example"),
        ("X-Original-URL", "/v1/me"),
        ("Accept", "text/html"),
        ("Accept-Language", "de"),
        ("X-HTTP-Method-Override", "DELETE"),
    ):
        read = await client.get(path, headers={name: value})
        assert read.content == plain.content, name
        varying = {"x-request-id", "date"}
        assert {k: v for k, v in read.headers.items() if k not in varying} == {
            k: v for k, v in plain.headers.items() if k not in varying
        }, name


async def test_a_target_up_to_its_bound_is_read(client: Client) -> None:
    path = "/v1/articles?tag="
    fits = await client.get(path + "x" * (MAX_TARGET - len(path)))
    expect_problem(fits, 422, "validation_failed")
    too_long = await client.get(path + "x" * (MAX_TARGET - len(path) + 1))
    expect_problem(too_long, 400, "malformed_request")
    assert {name: too_long.headers[name] for name in SAFE} == SAFE


@pytest.mark.parametrize(
    "target",
    [
        "/v1/articles/%00",
        "/v1/articles/a%00b/comments",
        "/v1/articles?tag=%00",
        "/v1/articles?%00=1",
        "/v1/users/x%00",
    ],
)
async def test_nul_in_a_target_is_refused(client: Client, target: str) -> None:
    expect_problem(await client.get(target), 400, "malformed_request")


@pytest.mark.parametrize(
    "target",
    [
        "/v1/articles/%FF",
        "/v1/articles/%C3%28",
        "/v1/articles?tag=%FF",
        "/v1/users?prefix=%ED%A0%80",
    ],
)
async def test_what_is_not_unicode_is_no_defect(client: Client, target: str) -> None:
    assert (await client.get(target)).status_code < 500


OPERATIONAL = ("/metrics", "/livez", "/readyz", "/docs", "/openapi.json", "/v1/me", "/v1/articles")


@pytest.mark.usefixtures("client")
@given(path=st.sampled_from(OPERATIONAL), data=st.data())
async def test_a_path_has_one_spelling(app: FastAPI, path: str, data: st.DataObject) -> None:
    """Any spelling with something needlessly encoded leads nowhere."""
    positions = st.sets(st.integers(1, len(path) - 1), min_size=1)
    encoded = data.draw(positions)
    form = data.draw(st.sampled_from(["%{:02x}", "%{:02X}"]))
    spelling = "".join(
        form.format(ord(char)) if at in encoded else char for at, char in enumerate(path)
    )
    status, headers, body = await ask(app, spelling.encode())
    assert (status, headers[b"content-type"]) == (404, b"application/problem+json")
    assert b'"code":"not_found"' in body


async def test_what_has_to_be_encoded_may_be(client: Client) -> None:
    person = await client.join()
    for external_id in ("a/b", "a?b#", "50%", "~me", "a.b-c_d"):
        for encoded in (quote(external_id, safe=""), quote(external_id).replace("~", "%7E")):
            path = f"/v1/articles/by-external-id/{encoded}"
            response = await person.client.put(path, {"title": external_id, "body": "Text."})
            assert response.status_code in (200, 201), encoded
            assert response.json()["external_id"] == external_id
    for elsewhere in ("/v1%2Farticles", "/v1/articles%2Fby-external-id%2Fx", "/v1/users/a%2Fb"):
        expect_problem(await client.get(elsewhere), 404, "not_found")


async def ask(app: FastAPI, target: bytes) -> tuple[int, dict[bytes, bytes], bytes]:
    """Send a target that no well-behaved client would, as a server hands it on."""
    path, _, query = target.partition(b"?")
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": unquote(path.decode(errors="replace")),
        "raw_path": path,
        "query_string": query,
        "headers": [(b"host", b"test")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    body = b"".join(message.get("body", b"") for message in sent)
    return sent[0]["status"], dict(sent[0]["headers"]), body


@pytest.mark.usefixtures("client")
@pytest.mark.parametrize(
    "target", [b"/v1/articles?tag=\xff", b"/v1/nothing?\xff", b"/v1/articles/\xc3\xa9", b"/?\xe9"]
)
async def test_bytes_that_should_have_been_encoded_are_refused(app: FastAPI, target: bytes) -> None:
    status, headers, body = await ask(app, target)
    assert status == 400
    assert headers[b"content-type"] == b"application/problem+json"
    assert b'"code":"malformed_request"' in body


async def test_the_log_names_a_path_in_bounds(client: Client, lines: list[EventDict]) -> None:
    await client.get("/v1/" + "x" * 5000)
    [line] = lines
    assert re.fullmatch("/v1/x{296}", line["path"])
    assert line["status"] == 404


async def test_probes_are_worth_a_line_only_to_who_debugs(
    client: Client, lines: list[EventDict]
) -> None:
    for path in ("/livez", "/readyz", "/metrics"):
        await client.get(path)
    assert [line["log_level"] for line in lines] == ["debug"] * 3
