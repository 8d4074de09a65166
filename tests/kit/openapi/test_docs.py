"""The interactive documentation asks no other host for anything."""

import re

import httpx
from fastapi import FastAPI

from tests.client import Client, expect

REFERENCE = re.compile(r"""(?:src|href|url)\s*[=:]\s*["']([^"']+)["']""", re.IGNORECASE)


async def test_the_root_leads_to_the_docs(client: Client) -> None:
    response = await client.get("/")
    assert (response.status_code, response.headers["location"]) == (307, "/docs")


async def test_the_page_refers_to_this_server_only_and_all_of_it_is_there(client: Client) -> None:
    page = await client.get("/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    references = REFERENCE.findall(page.text)
    assert len(references) >= 4
    for reference in references:
        assert re.match("/(?!/)", reference), reference
        found = await client.get(reference)
        assert found.status_code == 200, reference
        assert len(found.content) > 100, reference
    assert not re.search(r"[\"'(]\s*(?:https?:)?//", page.text)


async def test_the_browser_is_told_to_ask_no_other_host(client: Client) -> None:
    page = await client.get("/docs")
    # Swagger UI would show a badge of validator.swagger.io.
    assert '"validatorUrl": null' in page.text
    policy = page.headers["content-security-policy"]
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert directives["default-src"] == "'none'"
    for sources in directives.values():
        assert set(sources.split()) <= {"'none'", "'self'", "'unsafe-inline'", "data:"}


async def test_behind_a_prefix_the_page_refers_to_what_is_there(app: FastAPI) -> None:
    transport = httpx.ASGITransport(app, root_path="/forum")
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        page = await http.get("/forum/docs")
        assert page.status_code == 200
        for reference in REFERENCE.findall(page.text):
            assert reference.startswith("/forum/"), reference
            assert (await http.get(reference)).status_code == 200, reference
        assert (await http.get("/forum/")).headers["location"] == "/forum/docs"


async def test_the_document_is_there_and_names_no_other_server(client: Client) -> None:
    document = expect(await client.get("/openapi.json"), 200)
    assert document["openapi"].startswith("3.1")
    assert [server["url"] for server in document["servers"]] == ["/"]


async def test_nothing_outside_the_assets_is_served(client: Client) -> None:
    for path in ("/docs/assets/../../pyproject.toml", "/docs/assets/%2e%2e/%2e%2e/etc/passwd"):
        assert (await client.get(path)).status_code == 404
