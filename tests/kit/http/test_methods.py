"""HEAD wherever GET is, OPTIONS on every path, and 405 with the methods of the path."""

from typing import Any

import pytest
from fastapi import FastAPI
from starlette.types import Message
from structlog.typing import EventDict

from tests.client import Client, Person, expect, expect_problem
from tests.journeys.test_bad_input import fill

# They differ with every response.
VARYING = {"x-request-id", "date"}
# What a stream sends ends with its client.
STREAM = "text/event-stream; charset=utf-8"
PAGES = ("/livez", "/readyz", "/metrics", "/docs", "/docs/assets/favicon.png", "/openapi.json", "/")


@pytest.fixture
async def max_(client: Client) -> Person:
    return await client.join("max")


@pytest.fixture
async def article(max_: Person) -> dict[str, Any]:
    return await max_.post_article()


async def compare_head_and_get(client: Client, path: str, headers: dict[str, str]) -> None:
    get = await client.get(path, headers=headers)
    head = await client.request("HEAD", path, headers=headers)
    assert head.status_code == get.status_code, path
    assert head.content == b"", path
    # A problem names its request, whose id compresses now to more and now to fewer bytes.
    varies = path == "/metrics" or get.status_code >= 400
    left_out = VARYING | ({"content-length"} if varies else set())
    kept = {name: value for name, value in get.headers.items() if name not in left_out}
    assert {name: head.headers.get(name) for name in kept} == kept, path
    if get.status_code == 200 and get.headers["content-type"] != STREAM:
        assert int(head.headers["content-length"]) > 0, path


async def test_head_has_the_headers_of_get_and_no_body(
    app: FastAPI, max_: Person, article: dict[str, Any]
) -> None:
    for path, item in app.openapi()["paths"].items():
        if "get" in item:
            real = fill(path.replace("{article}", article["id"]))
            await compare_head_and_get(max_.client, real, {})
    for path in PAGES:
        await compare_head_and_get(max_.client, path, {})


async def test_the_app_itself_sends_no_body_to_head(app: FastAPI, client: Client) -> None:
    """The client drops the body of a HEAD response, so the messages are looked at."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    # The second one is answered by the edge.
    for _ in range(2):
        for path in ("/v1/articles", "/livez", "/v1/nothing"):
            scope = {
                "type": "http",
                "asgi": {"version": "3.0"},
                "http_version": "1.1",
                "method": "HEAD",
                "scheme": "http",
                "path": path,
                "raw_path": path.encode(),
                "query_string": b"",
                "root_path": "",
                "headers": [(b"host", b"test")],
                "client": ("127.0.0.1", 1),
                "server": ("test", 80),
            }
            await app(scope, receive, send)
            assert scope["method"] == "HEAD"
    starts = [message for message in sent if message["type"] == "http.response.start"]
    assert [message["status"] for message in starts] == [200, 200, 404] * 2
    assert all(message.get("body", b"") == b"" for message in sent)


async def test_head_is_conditional_as_get_is(client: Client, article: dict[str, Any]) -> None:
    for path in (f"/v1/articles/{article['id']}", f"/v1/articles/{article['id']}/comments"):
        etag = (await client.request("HEAD", path)).headers["etag"]
        response = await client.request("HEAD", path, headers={"If-None-Match": etag})
        assert response.status_code == 304
        assert response.headers["etag"] == etag
        await compare_head_and_get(client, path, {"If-None-Match": etag})


async def test_head_of_nothing_is_the_problem_without_its_body(client: Client) -> None:
    for path, status in (("/v1/nothing", 404), ("/v1/me", 401), ("/v1/sessions/refresh", 405)):
        response = await client.request("HEAD", path)
        assert (response.status_code, response.content) == (status, b"")
        assert response.headers["content-type"] == "application/problem+json"


async def test_the_log_names_the_method_that_was_sent(
    client: Client, lines: list[EventDict]
) -> None:
    await client.request("HEAD", "/v1/articles")
    assert [line["method"] for line in lines] == ["HEAD"]


async def test_options_lists_the_methods_of_every_path(app: FastAPI, client: Client) -> None:
    paths = {path: set(map(str.upper, item)) for path, item in app.openapi()["paths"].items()}
    for path, methods in [*paths.items(), *((page, {"GET"}) for page in PAGES)]:
        response = await client.request("OPTIONS", fill(path))
        assert expect(response, 204) is None
        expected = methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())
        assert set(response.headers["allow"].split(", ")) == expected, path
    expect_problem(await client.request("OPTIONS", "/v1/nothing"), 404, "not_found")


async def test_a_method_that_a_path_does_not_have_is_refused_with_those_it_has(
    client: Client,
) -> None:
    for path, allow in (
        ("/v1/articles", "GET, HEAD, POST, OPTIONS"),
        ("/v1/sessions/refresh", "POST, OPTIONS"),
        ("/docs/assets/favicon.png", "GET, HEAD, OPTIONS"),
        ("/openapi.json", "GET, HEAD, OPTIONS"),
    ):
        response = await client.request("PROPFIND", path)
        expect_problem(response, 405, "method_not_allowed")
        assert response.headers["allow"] == allow
