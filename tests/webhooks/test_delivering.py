"""Messages on their way: signed, retried under one id, logged; webhooks that take none are off."""

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import text
from standardwebhooks import Webhook, WebhookVerificationError

from api.effects import EFFECTS
from api.kit.dispatcher import Dispatcher, relay_events
from api.kit.services import Services
from api.kit.signing import Signer
from api.webhooks.sealed_secrets import seal_secret
from api.webhooks.sending import DISABLED_AFTER
from models import CommentState
from tests.client import Client, expect, expect_problem
from tests.conftest import MovableClock
from tests.lifecycle import change_states
from tests.webhooks.conftest import ConnectReceiver, list_deliveries
from tests.working import run_jobs, work_off


async def test_a_message_is_retried_under_its_id_until_it_is_taken(
    client: Client,
    services: Services,
    clock: MovableClock,
    admin: Client,
    connect_receiver: ConnectReceiver,
) -> None:
    receiver, other = await connect_receiver(), await connect_receiver()
    author = await client.join()
    refusals = {
        "500 Internal Server Error": "",
        "302 Found": f"Location: {other.server.url}\r\n",
        "400 Bad Request": "",
    }
    receiver.server.respond("Not\n now.", status="500 Internal Server Error")
    article = (await author.post_article())["id"]
    await work_off(services)
    for status, headers in list(refusals.items())[1:]:
        receiver.server.respond("", status=status, headers=headers)
        clock.advance(seconds=30)
        await work_off(services)
    read = expect(await admin.get(receiver.path), 200)
    assert read["failing_since"] is not None
    receiver.server.respond("", status="204 No Content")
    clock.advance(minutes=1)
    await work_off(services)
    assert receiver.ids == [f"evt_{article}_0"] * 4
    assert other.ids == [f"evt_{article}_0"]  # nothing was redirected to it, or delayed
    log = await list_deliveries(admin, receiver)
    assert [one["status"] for one in log] == [500, 302, 400, 204]
    assert [one["attempt"] for one in log] == [1, 2, 3, 4]
    assert [one["is_success"] for one in log] == [False, False, False, True]
    assert (log[0]["error"], log[0]["response_excerpt"]) == ("status 500", "Not  now.")
    assert (log[3]["error"], log[3]["response_excerpt"]) == (None, "")
    assert {(one["message_id"], one["type"]) for one in log} == {
        (f"evt_{article}_0", "article.created")
    }
    assert expect(await admin.get(receiver.path), 200)["failing_since"] is None
    page = expect(await admin.get(f"{receiver.path}/deliveries?limit=3"), 200)
    cursor = page["page"]["next_cursor"]
    rest = expect(await admin.get(f"{receiver.path}/deliveries?limit=3&cursor={cursor}"), 200)
    assert [one["id"] for one in page["data"] + rest["data"]] == [one["id"] for one in log[::-1]]
    clock.advance(days=31)
    await run_jobs(services)
    async with services.database.read_session() as session:
        assert await session.scalar(text("SELECT count(*) FROM webhook_attempts")) == 0


async def test_a_busy_receiver_names_the_next_attempt(
    client: Client, services: Services, clock: MovableClock, connect_receiver: ConnectReceiver
) -> None:
    receiver = await connect_receiver()
    receiver.server.respond("", status="429 Too Many", headers="Retry-After: 600\r\n")
    await (await client.join()).post_article()
    for minutes, attempts in ((0, 1), (9, 1), (2, 2)):
        clock.advance(minutes=minutes)
        await work_off(services)
        assert len(receiver.ids) == attempts


async def test_both_secrets_sign_for_a_day_after_a_rotation(
    client: Client,
    services: Services,
    clock: MovableClock,
    admin: Client,
    connect_receiver: ConnectReceiver,
) -> None:
    receiver = await connect_receiver()
    first = receiver.webhook["secret"]
    rotated = expect(await admin.post(f"{receiver.path}/rotate-secret"), 200)
    second = rotated["secret"]
    assert (
        expect(await admin.get(receiver.path), 200)["previous_secret_ends_at"]
        == (rotated["previous_secret_ends_at"])
    )
    author = await client.join()
    article = (await author.post_article())["id"]
    await work_off(services)
    _, headers, body = receiver.server.requests[-1]
    assert len(headers["webhook-signature"].split()) == 2
    for secret in (first, second):
        Webhook(secret).verify(body, headers)
    # Only the newest two count.
    third = expect(await admin.post(f"{receiver.path}/rotate-secret"), 200)["secret"]
    await author.reply(article)
    await work_off(services)
    _, headers, body = receiver.server.requests[-1]
    for secret in (second, third):
        Webhook(secret).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(first).verify(body, headers)
    clock.advance(hours=25)
    author = await client.log_in(author.handle)
    await author.reply(article)
    await work_off(services)
    assert len(receiver.server.requests[-1][1]["webhook-signature"].split()) == 1


async def test_after_the_secret_key_has_changed_a_rotation_helps(
    client: Client, services: Services, admin: Client, connect_receiver: ConnectReceiver
) -> None:
    receiver = await connect_receiver()
    before = Signer("another secret key, just as long as the present one")
    sealed = seal_secret(before, UUID(receiver.webhook["id"]), receiver.webhook["secret"])
    async with services.database.write_session() as session:
        await session.execute(text("UPDATE webhooks SET secret = :sealed"), {"sealed": sealed})
    await (await client.join()).post_article()
    await work_off(services)
    [attempt] = await list_deliveries(admin, receiver)
    assert (attempt["status"], receiver.ids) == (None, [])
    assert "rotate" in attempt["error"]
    receiver.webhook["secret"] = expect(await admin.post(f"{receiver.path}/rotate-secret"), 200)[
        "secret"
    ]
    expect(await admin.post(f"{receiver.path}/test"), 200)
    assert receiver.read_last()["type"] == "webhook.test"


async def test_a_receiver_that_is_gone_is_disabled_at_once_and_its_owner_notified(
    client: Client, services: Services, admin: Client, connect_receiver: ConnectReceiver
) -> None:
    receiver = await connect_receiver()
    seen = (await admin.get(receiver.path)).headers["etag"]
    receiver.server.respond("", status="410 Gone")
    author = await client.join()
    article = (await author.post_article())["id"]
    await work_off(services)
    read = expect(await admin.get(receiver.path), 200)
    assert (read["is_enabled"], read["disabled_reason"]) == (False, "gone")
    assert read["disabled_at"] is not None
    async with services.database.read_session() as session:
        notified = await session.execute(
            text("SELECT user_id, kind FROM notifications WHERE object_id = :id"),
            {"id": read["id"]},
        )
        assert [(str(user), kind) for user, kind in notified] == [
            (read["owner"]["id"], "webhook_disabled")
        ]
        assert await session.scalar(text("SELECT count(*) FROM deliveries")) == 0
    # An administrator who has not seen that it is disabled does not change it by accident.
    stale = await admin.patch(receiver.path, {"tag": "space"}, headers={"If-Match": seen})
    expect_problem(stale, 412, "precondition_failed")
    await author.reply(article)
    await work_off(services)
    assert len(receiver.ids) == 1
    any_version = {"If-Match": "*"}
    expect(await admin.patch(receiver.path, {"is_enabled": True}, headers=any_version), 200)
    receiver.server.respond("ok")
    await author.reply(article)
    await work_off(services)
    assert receiver.ids[1:] == [f"evt_{article}_2"]


async def test_a_webhook_none_of_whose_attempts_succeed_for_days_is_disabled(
    client: Client,
    services: Services,
    clock: MovableClock,
    admin: Client,
    connect_receiver: ConnectReceiver,
) -> None:
    receiver = await connect_receiver()
    receiver.server.respond("", status="500 Internal Server Error")
    author = await client.join()
    article = (await author.post_article())["id"]
    await work_off(services)
    clock.advance(seconds=DISABLED_AFTER.total_seconds() - 60)
    admin = (await client.log_in("staff-admin")).client
    # A test that fails counts for nothing.
    tested = expect(await admin.post(f"{receiver.path}/test"), 200)
    assert (tested["is_success"], tested["status"], tested["type"]) == (False, 500, "webhook.test")
    assert expect(await admin.get(receiver.path), 200)["is_enabled"]
    clock.advance(minutes=2)
    author = await client.log_in(author.handle)
    await author.reply(article)
    await work_off(services)
    read = expect(await admin.get(receiver.path), 200)
    assert (read["is_enabled"], read["disabled_reason"]) == (False, "failing")


async def test_tests_and_replays_tell_what_came_of_them(
    client: Client, services: Services, admin: Client, connect_receiver: ConnectReceiver
) -> None:
    receiver = await connect_receiver()
    tested = expect(await admin.post(f"{receiver.path}/test"), 200)
    assert (tested["is_success"], tested["status"], tested["attempt"]) == (True, 200, 1)
    assert receiver.read_last()["data"] == {"webhook_id": receiver.webhook["id"]}
    author = await client.join()
    article = (await author.post_article())["id"]
    comment = await author.reply(article)
    await work_off(services)
    expect(await author.edit_anyway(comment["id"], "Better."), 200)
    log = await list_deliveries(admin, receiver)
    told = next(one for one in log if one["message_id"] == f"evt_{article}_1")
    path = f"{receiver.path}/deliveries/{told['id']}/replay"
    again = expect(await admin.post(path), 200)
    assert (again["message_id"], again["attempt"]) == (told["message_id"], 2)
    sent = receiver.read_last()
    assert sent["timestamp"] == comment["created_at"]
    assert sent["data"]["comments"][0]["body"] == "Better."  # what is public now
    assert receiver.ids[-1] == told["message_id"]
    await change_states(services, article, [comment["id"]], CommentState.REMOVED)
    expect_problem(await admin.post(path), 409, "webhook_message_gone")
    expect(await admin.post(f"{receiver.path}/deliveries/{tested['id']}/replay"), 200)
    assert receiver.ids[-1] == tested["message_id"]


async def test_receivers_that_hang_delay_no_other(
    client: Client, services: Services, connect_receiver: ConnectReceiver
) -> None:
    """Of twenty webhooks nineteen hang, with two requests each; the last one gets everything."""
    hanging = [await connect_receiver() for _ in range(19)]
    well = await connect_receiver()
    for receiver in hanging:
        receiver.server.response = None
    author = await client.join()
    article = (await author.post_article())["id"]
    for _ in range(5):
        await author.reply(article)
    while await relay_events(services, EFFECTS) is not None:
        pass
    lane = Dispatcher(services, EFFECTS).lanes["webhooks"]
    for _ in range(500):
        await lane.start_due()
        if len(set(well.ids)) == 6 and all(len(each.ids) == 2 for each in hanging):
            break
        await asyncio.sleep(0.01)
    assert set(well.ids) == {f"evt_{article}_{version}" for version in range(6)}
    assert {len(each.ids) for each in hanging} == {2}  # none has responded, or gets a third
    await lane.stop()
