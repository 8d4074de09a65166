"""Sanctions: who may make them, what they close and for how long, and what the person is told."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlmodel import col

from api.kit.services import Services
from models import LogAction, ModerationLogEntry
from tests.client import Client, Person, expect, expect_problem
from tests.conftest import MovableClock
from tests.credentials import make_api_token

MakeStaff = Callable[[str], Awaitable[Person]]
MARKER = "marker-of-staff"


async def sanction(
    moderator: Person, user: Person, kind: str, *, status: int = 201, **fields: Any
) -> dict[str, Any]:
    body = {"kind": kind, "reason": "abuse", **fields}
    response = await moderator.client.post(f"/v1/users/{user.handle}/sanctions", body)
    return dict(expect(response, status))


def in_hours(clock: MovableClock, hours: float) -> str:
    return (clock.now() + timedelta(hours=hours)).isoformat()


async def read_log(services: Services, user: Person) -> list[ModerationLogEntry]:
    async with services.database.read_session() as session:
        statement = (
            select(ModerationLogEntry)
            .where(col(ModerationLogEntry.user_id) == UUID(user.id))
            .order_by(col(ModerationLogEntry.created_at), col(ModerationLogEntry.id))
        )
        return list(await session.scalars(statement))


async def test_a_silence_closes_writing_at_once_and_ends_by_itself(
    client: Client, make_staff: MakeStaff, clock: MovableClock
) -> None:
    moderator, lee = await make_staff("moderator"), await client.join("lee")
    article = await lee.post_article()
    ends_at = in_hours(clock, 0.1)
    made = await sanction(moderator, lee, "silence", ends_at=ends_at, message="Calm down.")
    assert made["is_active"]
    assert made["created_by"]["handle"] == "staff-moderator"
    refused = await lee.client.post(f"/v1/articles/{article['id']}/comments", {"body": "No."})
    problem = expect_problem(refused, 403, "account_silenced")
    assert problem["reason"] == "abuse"
    assert problem["message"] == "Calm down."
    assert problem["ends_at"] == made["ends_at"]
    expect(await lee.client.get("/v1/me"), 200)
    clock.advance(minutes=7)
    await lee.reply(article["id"])
    (told,) = expect(await lee.client.get("/v1/me/sanctions"), 200)["data"]
    assert not told["is_active"]
    assert told["lifted_at"] is None


async def test_a_ban_ends_all_sessions_and_tokens_now(
    client: Client, make_staff: MakeStaff, services: Services
) -> None:
    moderator, lee = await make_staff("moderator"), await client.join("lee")
    other = await client.log_in("lee")
    token = Client(client.http, await make_api_token(services, lee.id, {"profile:read"}))
    expect(await token.get("/v1/me"), 200)
    made = await sanction(moderator, lee, "ban", message="Enough.")
    for banned in (lee.client, other.client, token):
        expect_problem(await banned.get("/v1/me"), 401, "not_authenticated")
    refresh = {"refresh_token": lee.tokens["refresh_token"]}
    expect_problem(await client.post("/v1/sessions/refresh", refresh), 401, "invalid_refresh_token")
    again = await client.log_in("lee")
    refused = await again.client.post("/v1/articles", {"title": "New"})
    problem = expect_problem(refused, 403, "account_banned")
    assert (problem["message"], problem["ends_at"]) == ("Enough.", None)
    (told,) = expect(await again.client.get("/v1/me/sanctions"), 200)["data"]
    assert told == {key: made[key] for key in told}
    path = f"/v1/users/lee/sanctions/{made['id']}"
    expect(await moderator.client.delete(path), 204)
    await again.post_article()
    expect_problem(await moderator.client.delete(path), 409, "sanction_ended")


async def test_each_sanction_and_each_lifting_is_one_row_in_the_log(
    client: Client, make_staff: MakeStaff, services: Services
) -> None:
    moderator, lee = await make_staff("moderator"), await client.join("lee")
    made = await sanction(moderator, lee, "shadow_ban", note=MARKER)
    path = f"/v1/users/lee/sanctions/{made['id']}"
    expect(await moderator.client.delete(path), 204)
    first, second = await read_log(services, lee)
    assert (first.action, second.action) == (LogAction.SANCTION, LogAction.LIFT_SANCTION)
    assert first.after["kind"] == "shadow_ban"
    assert first.note == MARKER
    assert str(first.id) == made["log_id"]
    assert second.undoes_id == first.id
    assert str(first.actor_id) == str(second.actor_id) == made["created_by"]["id"]
    (listed,) = expect(await moderator.client.get("/v1/users/lee/sanctions"), 200)["data"]
    assert listed["lifted_by"]["handle"] == "staff-moderator"
    assert not listed["is_active"]


async def test_the_person_is_told_of_warnings_silences_and_bans_and_of_nothing_else(
    client: Client, make_staff: MakeStaff, clock: MovableClock
) -> None:
    moderator, lee = await make_staff("moderator"), await client.join("lee")
    await sanction(moderator, lee, "note", note=MARKER)
    await sanction(moderator, lee, "shadow_ban", note=MARKER)
    await sanction(moderator, lee, "pre_moderation", note=MARKER)
    await sanction(moderator, lee, "warning", message="Please.", note=MARKER)
    await sanction(moderator, lee, "silence", ends_at=in_hours(clock, 1), note=MARKER)
    response = await lee.client.get("/v1/me/sanctions")
    assert [one["kind"] for one in expect(response, 200)["data"]] == ["silence", "warning"]
    refused = await lee.client.post("/v1/articles", {"title": "New"})
    for told in (response, refused, await lee.client.get("/v1/me")):
        assert MARKER not in told.text
        assert "staff-moderator" not in told.text
    all_of_them = expect(await moderator.client.get("/v1/users/lee/sanctions"), 200)["data"]
    assert len(all_of_them) == 5


async def test_nobody_sanctions_their_equals_or_themselves(
    client: Client, make_staff: MakeStaff
) -> None:
    moderator, admin = await make_staff("moderator"), await make_staff("admin")
    lee = await client.join("lee")
    warning = {"kind": "warning", "reason": "other"}
    for actor, user, code in (
        (lee, moderator, "not_a_moderator"),
        (moderator, moderator, "may_not_sanction"),
        (moderator, admin, "may_not_sanction"),
        (admin, admin, "may_not_sanction"),
    ):
        me = expect(await user.client.get("/v1/me"), 200)
        refused = await actor.client.post(f"/v1/users/{me['id']}/sanctions", warning)
        expect_problem(refused, 403, code)
    made = expect(await admin.client.post("/v1/users/staff-moderator/sanctions", warning), 201)
    path = f"/v1/users/staff-moderator/sanctions/{made['id']}"
    # Nor do they lift what was decided about themselves.
    expect_problem(await moderator.client.delete(path), 403, "may_not_sanction")
    expect(await admin.client.delete(path), 204)


async def test_a_banned_moderator_moderates_nothing(client: Client, make_staff: MakeStaff) -> None:
    await make_staff("moderator")
    admin, lee = await make_staff("admin"), await client.join("lee")
    ban = {"kind": "ban", "reason": "abuse"}
    expect(await admin.client.post("/v1/users/staff-moderator/sanctions", ban), 201)
    again = await client.log_in("staff-moderator")
    path = f"/v1/users/{lee.handle}/sanctions"
    expect_problem(await again.client.post(path, ban), 403, "account_banned")
    expect_problem(await again.client.get(path), 403, "account_banned")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"kind": "silence"}, "validation_failed"),
        ({"kind": "note"}, "validation_failed"),
        ({"kind": "note", "note": "x", "ends_at": "2099-01-01T00:00:00Z"}, "validation_failed"),
        ({"kind": "warning", "ends_at": "2099-01-01T00:00:00Z"}, "validation_failed"),
        ({"kind": "shadow_ban", "message": "x"}, "validation_failed"),
        ({"kind": "ban", "ends_at": "2020-01-01T00:00:00Z"}, "invalid_sanction_end"),
        ({"kind": "ban", "ends_at": "2099-01-01T00:00:00Z"}, "invalid_sanction_end"),
        ({"kind": "ban", "ends_at": "9999-12-31T23:59:59-23:59"}, "validation_failed"),
        ({"kind": "ban", "ends_at": "0001-01-01T00:00:00+23:59"}, "validation_failed"),
        ({"kind": "ban", "ends_at": "2026-12-31T00:00:00"}, "validation_failed"),
        ({"kind": "exile"}, "validation_failed"),
        ({"kind": "ban", "message": "x" * 1001}, "validation_failed"),
    ],
)
async def test_a_sanction_that_makes_no_sense_is_refused(
    client: Client, make_staff: MakeStaff, fields: dict[str, Any], code: str
) -> None:
    moderator, lee = await make_staff("moderator"), await client.join("lee")
    body = {"reason": "other", **fields}
    refused = await moderator.client.post(f"/v1/users/{lee.handle}/sanctions", body)
    expect_problem(refused, 422, code)
    assert expect(await moderator.client.get("/v1/users/lee/sanctions"), 200)["data"] == []


async def test_two_moderators_at_once_ban_once_and_lift_once(
    client: Client, make_staff: MakeStaff, services: Services
) -> None:
    moderator, admin = await make_staff("moderator"), await make_staff("admin")
    lee = await client.join("lee")
    path, ban = "/v1/users/lee/sanctions", {"kind": "ban", "reason": "spam"}
    for _ in range(5):
        made = await asyncio.gather(
            *(one.client.post(path, ban) for one in (moderator, admin, moderator, admin))
        )
        assert sorted(one.status_code for one in made) == [201, 409, 409, 409]
        (made_id,) = (one.json()["id"] for one in made if one.status_code == 201)
        lifted = await asyncio.gather(
            *(one.client.delete(f"{path}/{made_id}") for one in (moderator, admin))
        )
        assert sorted(one.status_code for one in lifted) == [204, 409]
    assert len(await read_log(services, lee)) == 10
    again = await client.log_in("lee")
    await again.post_article()


async def test_sanctions_are_listed_in_pages(client: Client, make_staff: MakeStaff) -> None:
    moderator, lee = await make_staff("moderator"), await client.join("lee")
    made = [await sanction(moderator, lee, "warning", message=str(n)) for n in range(5)]
    for reader, path in (
        (moderator, "/v1/users/lee/sanctions"),
        (lee, "/v1/me/sanctions"),
    ):
        seen, cursor = [], ""
        while True:
            page = expect(await reader.client.get(f"{path}?limit=2{cursor}"), 200)
            seen += [one["id"] for one in page["data"]]
            if not page["page"]["has_more"]:
                break
            cursor = f"&cursor={page['page']['next_cursor']}"
        assert seen == [one["id"] for one in reversed(made)]


async def test_a_sanction_of_another_person_is_not_found(
    client: Client, make_staff: MakeStaff
) -> None:
    moderator = await make_staff("moderator")
    lee, max_ = await client.join("lee"), await client.join("max")
    made = await sanction(moderator, lee, "warning")
    path = f"/v1/users/{max_.handle}/sanctions/{made['id']}"
    expect_problem(await moderator.client.delete(path), 404, "sanction_not_found")
    expect_problem(await moderator.client.get("/v1/users/nobody/sanctions"), 404, "user_not_found")
