"""What services outside say of a text, with a real server that responds, redirects or hangs."""

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from urllib.parse import parse_qs

import pytest
from pydantic import SecretStr

from api.kit.services import Services
from api.kit.settings import Settings
from tests.client import Client, Person, expect, expect_problem
from tests.screening.rules import list_decisions
from tests.servers import OtherServer, running_server

SECRET = "a secret of the service outside"


@pytest.fixture
async def outside() -> AsyncIterator[OtherServer]:
    async with running_server() as server:
        yield server


@pytest.fixture
def settings(settings: Settings, outside: OtherServer, request: pytest.FixtureRequest) -> Settings:
    changes = {
        "screening_url": outside.url,
        "akismet_url": outside.url,
        "screening_secret": SecretStr(SECRET),
        "outgoing_allow_private": True,
        **getattr(request, "param", {}),
    }
    return settings.model_copy(update=changes)


SPAM = {
    "screening_url": None,
    "akismet_key": SecretStr("key"),
    "akismet_site": "https://forum.example",
}


async def test_the_service_is_asked_with_a_signature(client: Client, outside: OtherServer) -> None:
    outside.respond('{"action": "publish"}')
    author = await client.join("anna")
    article = await author.post_article()
    assert (await author.reply(article["id"], "Hello."))["state"] == "visible"
    _, headers, body = outside.requests[-1]
    sent = json.loads(body)
    assert sent["kind"] == "comment"
    assert sent["body"] == "Hello."
    assert sent["author"] == {"id": author.id, "handle": "anna", "is_newcomer": True}
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    digest = hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"


async def test_what_it_says_is_done(
    client: Client, services: Services, outside: OtherServer
) -> None:
    author = await client.join()
    article = (await author.post_article())["id"]
    outside.respond('{"action": "hold", "reason": "tone"}')
    assert (await author.reply(article))["state"] == "pending"
    outside.respond('{"action": "reject"}')
    refused = await author.client.post(f"/v1/articles/{article}/comments", {"body": "No."})
    assert expect_problem(refused, 422, "comment_rejected")["phase"] == "external_check"
    decisions = await list_decisions(services)
    assert [one["rule"] for one in decisions] == ["check: tone", "check"]
    expect_problem(
        await author.client.post("/v1/articles", {"title": "No."}), 422, "article_rejected"
    )


@pytest.mark.parametrize(
    "response",
    [
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n",
        b'HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\n{"action": "allow"}',
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{",
        b"",
        None,
    ],
)
@pytest.mark.parametrize("settings", [{}, {"screening_fails": "closed"}], indirect=True)
async def test_a_service_that_fails_is_passed_over_or_holds(
    client: Client, settings: Settings, outside: OtherServer, response: bytes | None
) -> None:
    author = await client.join()
    outside.respond('{"action": "publish"}')
    article = (await author.post_article())["id"]
    outside.response = response
    expected = "pending" if settings.screening_fails == "closed" else "visible"
    assert (await author.reply(article))["state"] == expected


async def test_nothing_is_asked_for_those_who_are_refused(
    client: Client, services: Services, outside: OtherServer
) -> None:
    body = {"title": "Mine", "body": "Text."}
    expect_problem(await client.post("/v1/articles", body), 401, "not_authenticated")
    assert outside.requests == []


@pytest.mark.parametrize("settings", [SPAM], indirect=True)
async def test_a_spam_score_holds_and_rejects_what_it_is_sure_of(
    client: Client, services: Services, outside: OtherServer
) -> None:
    author = await client.join("anna")
    outside.respond("false")
    article = (await author.post_article())["id"]
    outside.respond("true")
    assert (await author.reply(article, "Buy & win."))["state"] == "pending"
    _, _, body = outside.requests[-1]
    fields = parse_qs(body.decode())
    assert fields["comment_content"] == ["Buy & win."]
    assert fields["blog"] == ["https://forum.example"]
    assert fields["comment_author"] == ["anna"]
    outside.respond("true", headers="X-akismet-pro-tip: discard\r\n")
    refused = await author.client.post(f"/v1/articles/{article}/comments", {"body": "Buy."})
    assert expect_problem(refused, 422, "comment_rejected")["phase"] == "spam_score"
    outside.respond("invalid")
    assert (await author.reply(article, "Fine."))["state"] == "visible"


async def test_no_connection_is_held_while_a_service_is_asked(
    client: Client, services: Services, outside: OtherServer
) -> None:
    outside.respond('{"action": "publish"}')
    author = await client.join()
    article = (await author.post_article())["id"]
    held: list[int] = []
    pool = services.database.writer.sync_engine.pool
    outside.watch = lambda: held.append(pool.checkedout())
    key = {"Idempotency-Key": "once"}
    body = {"body": "Yes."}
    expect(await author.client.post(f"/v1/articles/{article}/comments", body, headers=key), 201)
    assert held == [0]


async def test_nothing_is_asked_about_texts_of_those_who_moderate_there(
    client: Client, outside: OtherServer, make_staff: Callable[[str], Awaitable[Person]]
) -> None:
    outside.respond('{"action": "publish"}')
    admin, author, local = await make_staff("admin"), await client.join(), await client.join("lena")
    article = await author.post_article(tags=["space"], external_id="site-1")
    comment = await author.reply(article["id"])
    other = await author.post_article(tags=["ports"])
    expect(await admin.client.put("/v1/moderators/lena", {"tags": ["space"]}), 200)
    asked = len(outside.requests)
    reply = (await local.reply(article["slug"]))["id"]
    expect(await local.edit(reply, "Now."), 200)
    await local.post_article(tags=["space"])
    await admin.reply(other["id"])
    changes = {"title": "Changed", "tags": ["space"]}
    any_version = {"If-Match": "*"}
    path = f"/v1/articles/{article['id']}"
    expect(await local.client.patch(path, changes, headers=any_version), 200)
    expect(await local.client.put("/v1/articles/by-external-id/site-1", changes), 200)
    assert len(outside.requests) == asked
    # Elsewhere they are members like any other.
    await local.reply(other["id"])
    await local.post_article(tags=["ports"])
    expect(await author.edit(comment["id"], "Now."), 200)
    assert len(outside.requests) == asked + 3
