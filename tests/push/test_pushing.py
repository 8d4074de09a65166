"""Web Push: what a real endpoint receives, decrypted as a browser does, and its signature."""

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from py_vapid import Vapid02
from sqlalchemy import text

from api.accounts.queries import purge_sessions
from api.kit.services import Services
from api.kit.settings import Settings
from api.push.keys import encode, to_point
from models import CommentState, SanctionKind
from tests.client import Client, Person, expect, expect_problem
from tests.conftest import MovableClock
from tests.credentials import restrict
from tests.lifecycle import change_states
from tests.servers import OtherServer, running_server
from tests.working import work_off

PATH = "/v1/me/push-subscriptions"


@dataclass
class Browser:
    """A browser with its keys, and the push service that it is connected to."""

    server: OtherServer
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    secret: bytes = b"sixteen bytes ok"

    def to_json(self, **changes: Any) -> dict[str, Any]:
        keys = {"p256dh": encode(to_point(self.key.public_key())), "auth": encode(self.secret)}
        return {"endpoint": self.server.url, "keys": keys, **changes}

    async def subscribe(self, person: Person) -> dict[str, Any]:
        made: dict[str, Any] = expect(await person.client.post(PATH, self.to_json()), 201)
        return made

    def read(self, number: int = -1) -> Any:
        """Return what a message says."""
        _, headers, body = self.server.requests[number]
        assert headers["content-encoding"] == "aes128gcm"
        return json.loads(
            http_ece.decrypt(
                body, private_key=self.key, auth_secret=self.secret, version="aes128gcm"
            )
        )


@pytest.fixture
def settings(settings: Settings, request: pytest.FixtureRequest) -> Settings:
    changes = {"outgoing_allow_private": True, **getattr(request, "param", {})}
    return settings.model_copy(update=changes)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with running_server() as server:
        server.respond("", status="201 Created")
        yield Browser(server)


@dataclass
class Thread:
    """An author, a reader with a browser, and a comment of the reader that can be replied to."""

    anna: Person
    max: Person
    article: str
    comment: str

    async def reply(self) -> dict[str, Any]:
        return await self.anna.reply(self.article, "It fits.", self.comment)


async def begin_thread(client: Client) -> Thread:
    anna, reader = await client.join("anna", display_name="Anna Öz"), await client.join("max")
    article = (await anna.post_article("On docking ports"))["id"]
    return Thread(anna, reader, article, (await reader.reply(article))["id"])


async def count_deliveries(services: Services) -> int:
    async with services.database.read_session() as session:
        return int(await session.scalar(text("SELECT count(*) FROM deliveries")) or 0)


def read_claims(authorization: str) -> dict[str, Any]:
    token = authorization.partition("t=")[2].partition(",")[0]
    part = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return claims


async def test_a_browser_reads_what_was_pushed_and_the_push_service_who_sent_it(
    client: Client, services: Services, browser: Browser
) -> None:
    thread = await begin_thread(client)
    made = await browser.subscribe(thread.max)
    assert made["is_current"]
    reply = await thread.reply()
    await work_off(services)
    (request,) = browser.server.requests
    assert request[0] == "POST /check?x=1 HTTP/1.1"
    said = browser.read()
    assert said.pop("id")
    assert said == {
        "number": 1,
        "kind": "comment_reply",
        "article_id": thread.article,
        "comment_id": reply["id"],
        "actor": "Anna Öz",
        "title": "On docking ports",
    }
    headers = request[1]
    assert (headers["ttl"], headers["urgency"]) == ("86400", "normal")
    assert len(headers["topic"]) == 32
    assert Vapid02.verify(headers["authorization"])
    key = expect(await thread.max.client.get("/v1/push/key"), 200)["public_key"]
    assert headers["authorization"].endswith(f",k={key}")
    claims = read_claims(headers["authorization"])
    parts = urlsplit(browser.server.url)
    assert claims["aud"] == f"{parts.scheme}://{parts.netloc}"
    assert claims["sub"] == "mailto:palaver@localhost"
    assert 0 < claims["exp"] - services.clock.now().timestamp() < 24 * 3600

    # A further reply replaces the first one where the browser was away.
    await thread.reply()
    await work_off(services)
    assert browser.read()["number"] == 2
    assert browser.server.requests[1][1]["topic"] == headers["topic"]
    # Keys are made anew for each message.
    assert browser.server.requests[1][2][:86] != request[2][:86]


async def test_nothing_is_pushed_that_was_read_hidden_or_is_not_wanted(
    client: Client, services: Services, browser: Browser
) -> None:
    thread = await begin_thread(client)
    await browser.subscribe(thread.max)
    reply = await thread.reply()
    await change_states(services, thread.article, [reply["id"]], CommentState.HIDDEN)
    await work_off(services)
    await thread.reply()
    expect(await thread.max.client.post("/v1/me/notifications/read", {"up_to": 99}), 200)
    await work_off(services)
    off = {"channels": {"comment_reply": {"mail": "never", "push": False}}}
    off |= {"follows_own_threads": True}
    expect(await thread.max.client.put("/v1/me/notification-settings", off), 200)
    await thread.reply()
    await work_off(services)
    expect(
        await thread.max.client.put("/v1/me/notification-settings", {**off, "channels": {}}), 200
    )
    await restrict(services, thread.max.id, SanctionKind.BAN)
    await thread.reply()
    await work_off(services)
    assert browser.server.requests == []
    assert await count_deliveries(services) == 0


@pytest.mark.parametrize("status", ["404 Not Found", "410 Gone"])
async def test_a_subscription_that_ended_is_deleted(
    client: Client, services: Services, browser: Browser, status: str
) -> None:
    thread = await begin_thread(client)
    await browser.subscribe(thread.max)
    browser.server.respond("", status=status)
    await thread.reply()
    await work_off(services)
    assert expect(await thread.max.client.get(PATH), 200)["data"] == []
    await thread.reply()
    await work_off(services)
    assert len(browser.server.requests) == 1
    assert await count_deliveries(services) == 0


async def test_a_push_service_that_is_busy_is_tried_again_when_it_says(
    client: Client, services: Services, browser: Browser, clock: MovableClock
) -> None:
    thread = await begin_thread(client)
    await browser.subscribe(thread.max)
    browser.server.respond("", status="429 Too Many Requests", headers="Retry-After: 60\r\n")
    await thread.reply()
    await work_off(services)
    clock.advance(seconds=50)
    await work_off(services)
    assert len(browser.server.requests) == 1
    browser.server.respond("", status="503 Unavailable")
    clock.advance(seconds=11)
    await work_off(services)
    assert len(browser.server.requests) == 2
    browser.server.respond("", status="201 Created")
    clock.advance(seconds=5)
    await work_off(services)
    assert browser.read()["number"] == 1
    assert len(browser.server.requests) == 3
    assert await count_deliveries(services) == 0


async def test_a_subscription_ends_with_its_session_and_follows_the_browser(
    client: Client, services: Services, browser: Browser, clock: MovableClock
) -> None:
    thread = await begin_thread(client)
    again = await client.log_in("max", thread.max.user)
    made = await browser.subscribe(again)
    seen = expect(await thread.max.client.get(PATH), 200)["data"]
    assert [(one["id"], one["is_current"]) for one in seen] == [(made["id"], False)]
    expect(await again.client.delete("/v1/sessions/current"), 204)
    assert expect(await thread.max.client.get(PATH), 200)["data"] == []
    await thread.reply()
    await work_off(services)
    assert browser.server.requests == []

    # Who logs in there next gets their own notifications, and nobody else's.
    made = await browser.subscribe(thread.max)
    await browser.subscribe(thread.anna)
    assert expect(await thread.max.client.get(PATH), 200)["data"] == []
    other = f"{PATH}/{made['id']}"
    expect_problem(await thread.max.client.delete(other), 404, "push_subscription_not_found")
    await thread.reply()
    await work_off(services)
    assert browser.server.requests == []
    expect(await thread.anna.client.delete(other), 204)
    assert expect(await thread.anna.client.get(PATH), 200)["data"] == []

    # The service has another key than the browser was given.
    await browser.subscribe(thread.max)
    async with services.database.write_session() as session:
        await session.execute(
            text("UPDATE push_subscriptions SET server_key = decode(repeat('04', 65), 'hex')")
        )
    await thread.reply()
    await work_off(services)
    assert browser.server.requests == []
    assert expect(await thread.max.client.get(PATH), 200)["data"] == []

    # An expired session can be purged.
    await browser.subscribe(thread.max)
    clock.advance(days=40)
    async with services.database.write_session() as session:
        assert await purge_sessions(session, before=clock.now(), limit=10) > 0
        assert await session.scalar(text("SELECT count(*) FROM push_subscriptions")) == 0


@pytest.mark.parametrize("settings", [{"outgoing_allow_private": False}], indirect=True)
async def test_only_public_endpoints_and_keys_of_browsers_are_taken(client: Client) -> None:
    person = await client.join("max")
    browser = Browser(OtherServer())
    good = browser.to_json(endpoint="https://93.184.215.14/push/1")
    for endpoint, code in (
        ("http://93.184.215.14/push", "invalid_push_endpoint"),
        ("https://127.0.0.1/push", "invalid_push_endpoint"),
        ("https://[::1]/push", "invalid_push_endpoint"),
        ("https://localhost:8000/push", "invalid_push_endpoint"),
        ("ftp://93.184.215.14/push", "validation_failed"),
        ("https://93.184.215.14/" + "x" * 2048, "validation_failed"),
    ):
        refused = await person.client.post(PATH, {**good, "endpoint": endpoint})
        expect_problem(refused, 422, code)
    point = to_point(browser.key.public_key())
    for p256dh, auth in (
        (encode(point[:-1] + bytes([point[-1] ^ 1])), good["keys"]["auth"]),
        (encode(b"\4" * 65), good["keys"]["auth"]),
        ("x" * 87, good["keys"]["auth"]),
        ("ü" * 87, good["keys"]["auth"]),
        (good["keys"]["p256dh"], encode(b"fifteen bytes..")),
        (good["keys"]["p256dh"], "!" * 22),
    ):
        refused = await person.client.post(PATH, {**good, "keys": {"p256dh": p256dh, "auth": auth}})
        expect_problem(refused, 422, "validation_failed")
    padded = base64.b64encode(point).decode()
    for number in range(20):
        body = {
            "endpoint": f"https://93.184.215.14/push/{number}",
            "keys": {"p256dh": padded, "auth": base64.b64encode(browser.secret).decode()},
        }
        expect(await person.client.post(PATH, body), 201)
    refused = await person.client.post(PATH, {**good, "endpoint": "https://93.184.215.14/push/20"})
    expect_problem(refused, 409, "too_many_push_subscriptions")
    expect(await person.client.post(PATH, good), 201)
    assert len(expect(await person.client.get(PATH), 200)["data"]) == 20
