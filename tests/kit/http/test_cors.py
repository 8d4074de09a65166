"""Pages of other origins: those that the settings allow, and what their scripts may read."""

import dataclasses
from collections.abc import AsyncIterator

import httpx
import pytest

from api.kit.services import Services
from tests.client import Client, expect, expect_problem
from tests.kit.conftest import OpenClient

ORIGIN = "https://forum.example"
OTHERS = (
    "https://forum.example.evil.example",
    "https://evil.example",
    "http://forum.example",
    "https://forum.example:8443",
    "https://FORUM.example",
    "https://sub.forum.example",
    "null",
    "*",
    "",
)


@pytest.fixture
async def page(services: Services, open_client: OpenClient) -> AsyncIterator[Client]:
    settings = services.settings.model_copy(
        update={"cors_origins": (ORIGIN, "http://localhost:5173")}
    )
    async with open_client(dataclasses.replace(services, settings=settings)) as client:
        yield client


async def ask_first(client: Client, origin: str, method: str, *headers: str) -> httpx.Response:
    asked = {"Origin": origin, "Access-Control-Request-Method": method}
    if headers:
        asked["Access-Control-Request-Headers"] = ", ".join(headers)
    return await client.request("OPTIONS", "/v1/articles", headers=asked)


def listed(response: httpx.Response, header: str) -> set[str]:
    return {part.strip().lower() for part in response.headers[header].split(",")}


async def test_a_listed_origin_may_read_the_answer_and_the_headers_it_needs(page: Client) -> None:
    for origin in (ORIGIN, "http://localhost:5173"):
        response = await page.get("/v1/articles", headers={"Origin": origin})
        assert response.headers["access-control-allow-origin"] == origin
        assert "access-control-allow-credentials" not in response.headers
        assert listed(response, "access-control-expose-headers") == {
            "etag",
            "idempotent-replayed",
            "link",
            "location",
            "ratelimit",
            "ratelimit-policy",
            "retry-after",
            "x-request-id",
        }
        assert "origin" in listed(response, "vary")


async def test_no_other_origin_may_read_anything(page: Client) -> None:
    for origin in OTHERS:
        for path in ("/v1/articles", "/v1/nothing", "/v1/articles?tag=%00"):
            response = await page.get(path, headers={"Origin": origin})
            assert "access-control-allow-origin" not in response.headers, origin
            assert "origin" in listed(response, "vary"), origin


async def test_without_a_list_no_origin_may(client: Client) -> None:
    response = await client.get("/v1/articles", headers={"Origin": ORIGIN})
    assert "access-control-allow-origin" not in response.headers
    expect_problem(await ask_first(client, ORIGIN, "GET"), 403, "cors_refused")


@pytest.fixture
async def local(services: Services, open_client: OpenClient) -> AsyncIterator[Client]:
    settings = services.settings.model_copy(
        update={"cors_origins": (ORIGIN,), "cors_allow_localhost": True}
    )
    async with open_client(dataclasses.replace(services, settings=settings)) as client:
        yield client


async def test_pages_on_this_machine_may_call_where_the_settings_say_so(
    local: Client, client: Client
) -> None:
    for origin in (
        *("http://localhost:5173", "https://localhost", "http://127.0.0.1:3000"),
        *("http://[::1]:8080", "http://localhost", ORIGIN),
    ):
        response = await local.get("/v1/articles", headers={"Origin": origin})
        assert response.headers["access-control-allow-origin"] == origin
        assert "origin" in listed(response, "vary")
        assert (await ask_first(local, origin, "PATCH", "if-match")).status_code == 204
        if origin != ORIGIN:
            expect_problem(await ask_first(client, origin, "GET"), 403, "cors_refused")


async def test_what_only_looks_like_this_machine_may_not_call(local: Client) -> None:
    for origin in (
        *("http://localhost.evil.example", "http://evil.example:80", "http://localhost:5173.a"),
        *("http://127.0.0.1.evil.example", "http://127x0x0x1", "http://a.localhost", "file://"),
        *("http://localhost@evil.example", "http://localhost:123456", "ftp://localhost", "null"),
        *("http://127.0.0.2", "http://LOCALHOST", "http://localhost:80\n", "http://10.0.0.1"),
    ):
        response = await local.get("/v1/articles", headers={"Origin": origin})
        assert "access-control-allow-origin" not in response.headers, origin
        expect_problem(await ask_first(local, origin, "GET"), 403, "cors_refused")


async def test_a_listed_origin_may_send_what_the_interface_asks_for(page: Client) -> None:
    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"):
        response = await ask_first(
            page,
            ORIGIN,
            method,
            "authorization",
            "content-type",
            "idempotency-key",
            "if-match",
            "if-none-match",
            "x-request-id",
        )
        assert response.status_code == 204, method
        assert response.headers["access-control-allow-origin"] == ORIGIN
        assert method.lower() in listed(response, "access-control-allow-methods")
        assert response.headers["access-control-max-age"] == "600"
        assert response.headers["x-request-id"]


async def test_nothing_else_may_be_sent(page: Client) -> None:
    for response in (
        await ask_first(page, ORIGIN, "TRACE"),
        await ask_first(page, ORIGIN, "POST", "x-forwarded-for"),
    ):
        problem = expect_problem(response, 403, "cors_refused")
        assert "Access-Control-Allow-Headers" in problem["detail"]
        assert "if-match" in listed(response, "access-control-allow-headers")
    for origin in OTHERS:
        response = await ask_first(page, origin, "POST")
        problem = expect_problem(response, 403, "cors_refused")
        assert "PALAVER_CORS_ORIGINS" in problem["detail"], origin
        assert "origin" in listed(response, "vary")
        assert "access-control-allow-origin" not in response.headers


async def test_a_listed_origin_may_read_problems_too(
    page: Client, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = {"Origin": ORIGIN}
    refusals = [
        (await page.get("/v1/nothing", headers=headers), 404, "not_found"),
        (await page.get("/v1/articles?tag=%00", headers=headers), 400, "malformed_request"),
        (await page.get("/v1/me", headers=headers), 401, "not_authenticated"),
    ]

    def fail(_: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(type(services.database), "read_session", fail)
    refusals.append((await page.get("/v1/articles", headers=headers), 500, "internal_error"))
    for response, status, code in refusals:
        expect_problem(response, status, code)
        assert response.headers["access-control-allow-origin"] == ORIGIN, code


async def test_options_that_is_no_preflight_lists_the_methods(page: Client) -> None:
    for headers in ({}, {"Origin": ORIGIN}, {"Access-Control-Request-Method": "GET"}):
        response = await page.request("OPTIONS", "/v1/articles", headers=headers)
        expect(response, 204)
        assert response.headers["allow"] == "GET, HEAD, POST, OPTIONS"
