"""Appeals: who is told of which decision, who may appeal, who decides, and what granting does."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from api.kit.services import Services
from tests.client import Client, Person, expect, expect_problem
from tests.moderation.conftest import Forum
from tests.screening.rules import change_settings

MakeStaff = Callable[[str], Awaitable[Person]]
TEXT = {"text": "I did not mean it."}
GRANT = {"is_granted": True, "reason": "It was a quotation."}
REFUSE = {"is_granted": False, "reason": "It was meant."}
ANY = {"If-Match": "*"}


async def decisions(person: Person) -> list[dict[str, Any]]:
    return list(expect(await person.client.get("/v1/me/decisions"), 200)["data"])


async def appeal(person: Person, log_id: str) -> dict[str, Any]:
    response = await person.client.post("/v1/appeals", {"log_id": log_id, **TEXT})
    return dict(expect(response, 201))


async def decide(person: Person, appeal_id: str, body: dict[str, Any]) -> Any:
    return await person.client.post(f"/v1/appeals/{appeal_id}/decision", body)


async def sanction(moderator: Person, handle: str, kind: str, **fields: Any) -> dict[str, Any]:
    body = {"kind": kind, "reason": "abuse", **fields}
    return dict(expect(await moderator.client.post(f"/v1/users/{handle}/sanctions", body), 201))


async def test_a_banned_person_appeals_and_is_unbanned(
    client: Client, make_staff: MakeStaff
) -> None:
    moderator, admin = await make_staff("moderator"), await make_staff("admin")
    await client.join("lee")
    made = await sanction(moderator, "lee", "ban", message="Enough.")
    lee = await client.log_in("lee")
    (decision,) = await decisions(lee)
    assert decision["log_id"] == made["log_id"]
    assert decision["sanction"]["message"] == "Enough."
    assert decision["can_be_appealed"]
    made_appeal = await appeal(lee, decision["log_id"])
    assert made_appeal["state"] == "open"
    again = await lee.client.post("/v1/appeals", {"log_id": decision["log_id"], **TEXT})
    expect_problem(again, 409, "already_appealed")
    (waiting,) = expect(await admin.client.get("/v1/appeals"), 200)["data"]
    assert waiting["person"]["handle"] == "lee"
    assert waiting["decision"]["decided_by"]["handle"] == "staff-moderator"
    # Who banned does not decide.
    expect_problem(await decide(moderator, made_appeal["id"], GRANT), 403, "may_not_decide")
    decided = expect(await decide(admin, made_appeal["id"], GRANT), 200)
    assert decided["state"] == "granted"
    await lee.post_article()
    (decision,) = await decisions(lee)
    assert not decision["can_be_appealed"]
    assert decision["appeal"]["decision_reason"] == GRANT["reason"]
    assert decision["sanction"]["lifted_at"]
    assert expect(await admin.client.get("/v1/appeals"), 200)["data"] == []
    expect_problem(await decide(admin, made_appeal["id"], REFUSE), 409, "appeal_closed")


async def test_a_refused_appeal_changes_nothing(client: Client, make_staff: MakeStaff) -> None:
    moderator, admin = await make_staff("moderator"), await make_staff("admin")
    lee = await client.join("lee")
    await sanction(moderator, "lee", "silence", ends_at="2027-01-01T00:00:00Z")
    (decision,) = await decisions(lee)
    made = await appeal(lee, decision["log_id"])
    expect(await decide(admin, made["id"], REFUSE), 200)
    expect_problem(await lee.client.post("/v1/articles", {"title": "N"}), 403, "account_silenced")
    (decision,) = await decisions(lee)
    assert decision["appeal"]["state"] == "refused"


@pytest.mark.parametrize("kind", ["note", "shadow_ban", "pre_moderation"])
async def test_nobody_appeals_against_what_they_are_not_told(
    client: Client, make_staff: MakeStaff, kind: str
) -> None:
    moderator, lee = await make_staff("moderator"), await client.join("lee")
    made = await sanction(moderator, "lee", kind, note="Secret.")
    assert await decisions(lee) == []
    refused = await lee.client.post("/v1/appeals", {"log_id": made["log_id"], **TEXT})
    expect_problem(refused, 404, "decision_not_found")


async def test_only_who_is_affected_appeals(client: Client, make_staff: MakeStaff) -> None:
    moderator = await make_staff("moderator")
    lee, max_ = await client.join("lee"), await client.join("max")
    made = await sanction(moderator, "lee", "warning")
    for person in (max_, moderator):
        refused = await person.client.post("/v1/appeals", {"log_id": made["log_id"], **TEXT})
        expect_problem(refused, 404, "decision_not_found")
    expect(await moderator.client.delete(f"/v1/users/lee/sanctions/{made['id']}"), 204)
    refused = await lee.client.post("/v1/appeals", {"log_id": made["log_id"], **TEXT})
    expect_problem(refused, 409, "decision_undone")


async def test_two_moderators_at_once_decide_once(client: Client, make_staff: MakeStaff) -> None:
    moderator, admin = await make_staff("moderator"), await make_staff("admin")
    lee = await client.join("lee")
    # Made by the administrator: only the moderator may decide, in two requests at once.
    for _ in range(5):
        made = await sanction(admin, "lee", "warning")
        one = await appeal(lee, made["log_id"])
        responses = await asyncio.gather(
            *(decide(moderator, one["id"], body) for body in (GRANT, REFUSE, GRANT))
        )
        assert sorted(response.status_code for response in responses) == [200, 409, 409]
    twice = await sanction(admin, "lee", "warning")
    body = {"log_id": twice["log_id"], **TEXT}
    posted = await asyncio.gather(*(lee.client.post("/v1/appeals", body) for _ in range(4)))
    assert sorted(response.status_code for response in posted) == [201, 409, 409, 409]


async def read_end(services: Services, comment: str) -> tuple[set[str], set[str], int]:
    """Return how the waits and the reports of a comment ended, and how many decisions were told."""
    select, about = "SELECT resolution FROM", {"id": UUID(comment)}
    async with services.database.read_session() as session:
        items, reports = [
            set(await session.scalars(text(f"{select} {table} WHERE comment_id = :id"), about))
            for table in ("review_items", "reports")
        ]
        told = await session.scalar(
            text("SELECT count(*) FROM events WHERE type = 'moderation_decided'")
        )
    return items, reports, told or 0


async def test_a_removed_comment_comes_back_and_waits_no_more(
    forum: Forum, make_staff: MakeStaff
) -> None:
    admin = await make_staff("admin")
    comment = (await forum.post("A quotation."))["id"]
    await forum.act("remove", comment)
    # It waits again, removed as it is.
    await forum.act("escalate", comment, reason=None)
    assert len(await forum.queue()) == 1
    (decision,) = await decisions(forum.author)
    made = await appeal(forum.author, decision["log_id"])
    expect(await decide(admin, made["id"], GRANT), 200)
    assert expect(await forum.client.get(f"/v1/comments/{comment}"), 200)["body"] == "A quotation."
    assert await forum.queue() == []
    # Told of the removal, and of the restoring.
    assert await read_end(forum.services, comment) == ({"approved"}, set(), 2)
    restored, *_ = await forum.log(action="restore")
    assert restored["before"]["state"] == "removed"
    assert restored["after"]["state"] == "visible"
    assert restored["actor"]["handle"] == "staff-admin"
    # A decision like any other: it can be undone.
    [undone] = await forum.act("undo", comment, reason=None)
    assert undone["state"] == "removed"


async def test_reports_that_hid_a_comment_are_dismissed_with_the_appeal(
    forum: Forum,
) -> None:
    await change_settings(forum.services, report_threshold=1)
    comment = (await forum.post())["id"]
    # Reports of newcomers weigh half.
    for reporter in (forum.reader, await forum.client.join()):
        expect(await forum.report(comment, by=reporter), 201)
    expect_problem(await forum.client.get(f"/v1/comments/{comment}"), 404, "comment_not_found")
    (decision,) = await decisions(forum.author)
    made = await appeal(forum.author, decision["log_id"])
    expect(await decide(forum.moderator, made["id"], GRANT), 200)
    expect(await forum.client.get(f"/v1/comments/{comment}"), 200)
    assert await read_end(forum.services, comment) == ({"approved"}, {"dismissed"}, 2)
    assert await forum.queue() == []


async def test_an_appeal_changes_nothing_about_a_comment_that_was_restored_before(
    forum: Forum, make_staff: MakeStaff
) -> None:
    admin = await make_staff("admin")
    comment = (await forum.post())["id"]
    await forum.act("hide", comment)
    (decision,) = await decisions(forum.author)
    made = await appeal(forum.author, decision["log_id"])
    await forum.act("restore", comment, reason=None)
    expect(await decide(admin, made["id"], GRANT), 200)
    assert len(await forum.log(comment_id=comment, action="restore")) == 1
