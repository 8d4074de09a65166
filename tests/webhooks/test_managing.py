"""Webhooks as administrators manage them; who may is in the table of permissions."""

from typing import Any

import pytest
from sqlalchemy import text

from api.kit.services import Services
from api.webhooks.service import MAX_WEBHOOKS
from tests.client import Client, expect, expect_problem
from tests.webhooks.conftest import EVERY_TYPE

BODY = {"url": "http://127.0.0.1:9/hook", "event_types": ["comment.created"]}


async def create(admin: Client, **fields: Any) -> dict[str, Any]:
    return expect(await admin.post("/v1/webhooks", {**BODY, **fields}), 201)


async def test_a_webhook_is_created_and_its_secret_shown_once(
    admin: Client, services: Services
) -> None:
    response = await admin.post("/v1/webhooks", {**BODY, "description": "Counts", "tag": "Space"})
    created = expect(response, 201)
    secret = created.pop("secret")
    assert secret.startswith("whsec_")
    assert created["owner"]["handle"] == "staff-admin"
    assert created["tag"] == "space"
    assert created["is_enabled"]
    path = response.headers["location"]
    read = await admin.get(path)
    assert expect(read, 200) == created
    assert read.headers["cache-control"] == "private, no-cache"
    listed = await admin.get("/v1/webhooks")
    assert expect(listed, 200)["data"] == [created]
    assert secret not in read.text + listed.text
    async with services.database.read_session() as session:
        stored = (await session.execute(text("SELECT * FROM webhooks"))).one()
        kept = await session.scalar(text("SELECT count(*) FROM idempotency_keys"))
    assert secret.removeprefix("whsec_") not in str(stored)
    assert secret.encode() not in stored.secret
    assert kept == 0
    # The tag is good for an edit, and the response to a key would have been stored.
    changed = await admin.patch(
        path, {"description": ""}, headers={"If-Match": response.headers["etag"]}
    )
    assert expect(changed, 200)["description"] == ""


async def test_there_are_at_most_twenty(admin: Client) -> None:
    made = [(await create(admin))["id"] for _ in range(MAX_WEBHOOKS)]
    expect_problem(await admin.post("/v1/webhooks", BODY), 409, "too_many_webhooks")
    first = expect(await admin.get("/v1/webhooks?limit=15"), 200)
    cursor = first["page"]["next_cursor"]
    second = expect(await admin.get(f"/v1/webhooks?limit=15&cursor={cursor}"), 200)
    assert [one["id"] for one in first["data"] + second["data"]] == made[::-1]
    path = f"/v1/webhooks/{made[0]}"
    expect(await admin.delete(path, headers={"If-Match": "*"}), 204)
    expect_problem(await admin.get(path), 404, "webhook_not_found")
    await create(admin)


async def test_edits_need_the_newest_tag_and_change_what_they_name(
    client: Client, admin: Client
) -> None:
    article = await (await client.join()).post_article()
    path = f"/v1/webhooks/{(await create(admin, tag='space'))['id']}"
    expect_problem(await admin.patch(path, {"tag": None}), 428, "precondition_required")
    etag = (await admin.get(path)).headers["etag"]
    seen = {"If-Match": etag}
    changes = {"article_id": article["id"], "event_types": EVERY_TYPE}
    changed = expect(await admin.patch(path, changes, headers=seen), 200)
    assert (changed["article_id"], changed["tag"]) == (article["id"], None)
    assert changed["event_types"] == EVERY_TYPE
    expect_problem(await admin.patch(path, {}, headers=seen), 412, "precondition_failed")
    expect_problem(await admin.delete(path, headers=seen), 412, "precondition_failed")
    any_version = {"If-Match": "*"}
    changed = expect(await admin.patch(path, {"is_enabled": False}, headers=any_version), 200)
    assert (changed["is_enabled"], changed["disabled_reason"]) == (False, "requested")
    assert changed["article_id"] == article["id"]
    changed = expect(
        await admin.patch(path, {"is_enabled": True, "article_id": None}, headers=any_version), 200
    )
    assert (changed["is_enabled"], changed["disabled_at"]) == (True, None)
    assert changed["article_id"] is None


@pytest.mark.parametrize(
    "fields",
    [
        {"event_types": []},
        {"event_types": ["comment.created", "comment.created"]},
        {"event_types": ["scores.changed"]},
        {"url": "ftp://site.example/"},
        {"url": "https://site.example/" + "x" * 2048},
        {"description": "x" * 201},
        {"tag": "space", "article_id": "0198f2c5-6f7a-7c3e-9d2b-3a1f5e8c7b60"},
        {"secret": "whsec_mine"},
    ],
)
async def test_what_makes_no_sense_is_refused(admin: Client, fields: dict[str, Any]) -> None:
    expect_problem(await admin.post("/v1/webhooks", {**BODY, **fields}), 422, "validation_failed")
    if "event_types" in fields or "tag" in fields:
        path = f"/v1/webhooks/{(await create(admin))['id']}"
        refused = await admin.patch(path, fields, headers={"If-Match": "*"})
        expect_problem(refused, 422, "validation_failed")


async def test_what_is_not_there_cannot_be_named(admin: Client) -> None:
    unknown = "0198f2c5-6f7a-7c3e-9d2b-3a1f5e8c7b60"
    refused = await admin.post("/v1/webhooks", {**BODY, "article_id": unknown})
    expect_problem(refused, 404, "article_not_found")
    for path in ("rotate-secret", "test", f"deliveries/{unknown}/replay"):
        refused = await admin.post(f"/v1/webhooks/{unknown}/{path}")
        expect_problem(refused, 404, "webhook_not_found")
    refused = await admin.get(f"/v1/webhooks/{unknown}/deliveries")
    expect_problem(refused, 404, "webhook_not_found")
    path = f"/v1/webhooks/{(await create(admin))['id']}/deliveries/{unknown}/replay"
    expect_problem(await admin.post(path), 404, "webhook_delivery_not_found")


@pytest.mark.parametrize("settings", [{"outgoing_allow_private": False}], indirect=True)
async def test_nothing_private_or_readable_on_its_way_is_taken(admin: Client) -> None:
    public = {**BODY, "url": "https://93.184.215.14/hook"}
    path = f"/v1/webhooks/{(await create(admin, **public))['id']}"
    for url in (
        "http://93.184.215.14/hook",
        "https://127.0.0.1/hook",
        "https://localhost/hook",
        "https://[::1]/hook",
        "https://169.254.169.254/latest/meta-data",
        "https://name-that-does-not-exist.invalid/hook",
        "https://user:secret@93.184.215.14/hook",
    ):
        refused = await admin.post("/v1/webhooks", {**BODY, "url": url})
        expect_problem(refused, 422, "invalid_webhook_url")
        refused = await admin.patch(path, {"url": url}, headers={"If-Match": "*"})
        expect_problem(refused, 422, "invalid_webhook_url")
