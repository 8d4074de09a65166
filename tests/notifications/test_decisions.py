"""What people are told of decisions about them: the reason, and never who decided."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text

from api.kit.services import Services
from api.notifications.inbox.queries import find_deliverable
from api.notifications.recipients.service import notify_webhook_disabled
from models import SanctionKind
from tests.client import Client, Person, expect
from tests.credentials import restrict
from tests.notifications.inboxes import check_inboxes, list_inbox, list_kinds, mark_read

MakeStaff = Callable[[str], Awaitable[Person]]


async def act(moderator: Person, action: str, *comments: str) -> None:
    targets = [{"comment_id": one, "etag": "*"} for one in comments]
    body = {"action": action, "reason": "spam", "note": "A note for staff.", "targets": targets}
    results = expect(await moderator.client.post("/v1/moderation/actions", body), 200)["data"]
    assert [one["problem"] for one in results] == [None] * len(comments)


def describe(told: dict[str, Any]) -> tuple[str, str | None, str | None]:
    decision = told["decision"]
    return decision["action"], decision["comment_state"], decision["reason"]


async def test_decisions_about_comments(
    client: Client, services: Services, make_staff: MakeStaff
) -> None:
    ann, ben, moderator = (
        await client.join("ann"),
        await client.join("ben"),
        await make_staff("admin"),
    )
    article = (await ann.post_article())["id"]
    comment = (await ben.reply(article, "A text."))["id"]
    await act(moderator, "hide", comment)
    (told,) = await list_inbox(ben)
    assert describe(told) == ("hide", "hidden", "spam")
    assert told["decision"]["comment_id"] == comment
    assert (told["actor"], told["comment"], told["article"]["id"]) == (None, None, article)
    assert "staff-admin" not in str(told)
    assert "A note" not in str(told)
    assert await list_kinds(ann) == []
    await act(moderator, "approve", comment)
    await act(moderator, "remove", comment)
    await act(moderator, "undo", comment)
    # A moderator who deletes is one who removes.
    headers = {"If-Match": "*"}
    expect(await moderator.client.delete(f"/v1/comments/{comment}", headers=headers), 204)
    assert [describe(one)[:2] for one in await list_inbox(ben)] == [
        *(("remove", "removed"), ("undo", "visible"), ("remove", "removed")),
        *(("approve", "visible"), ("hide", "hidden")),
    ]
    # It is known to its author whatever became of the article.
    expect(await ann.client.delete(f"/v1/articles/{article}", headers=headers), 204)
    listed = await list_inbox(ben)
    assert [one["article"] for one in listed] == [None] * 5
    await check_inboxes(services, ann, ben)


async def test_the_removal_of_an_article(
    client: Client, services: Services, make_staff: MakeStaff
) -> None:
    ann, ben, moderator = (
        await client.join("ann"),
        await client.join("ben"),
        await make_staff("moderator"),
    )
    article = (await ann.post_article())["id"]
    await ben.reply(article)
    headers = {"If-Match": "*"}
    changed = await moderator.client.patch(
        f"/v1/articles/{article}", {"title": "Another"}, headers=headers
    )
    expect(changed, 200)
    expect(await moderator.client.delete(f"/v1/articles/{article}", headers=headers), 204)
    # What was told of its thread is withdrawn.
    (told,) = await list_inbox(ann)
    assert describe(told) == ("remove", None, None)
    assert (told["decision"]["article_id"], told["article"]) == (article, None)
    assert "staff" not in str(told)
    own = (await ann.post_article("Another one"))["id"]
    expect(await ann.client.delete(f"/v1/articles/{own}", headers=headers), 204)
    assert await list_kinds(ann) == ["decision"]
    await check_inboxes(services, ann, ben)


async def test_an_approval_tells_its_author_and_the_others(
    client: Client, services: Services, make_staff: MakeStaff
) -> None:
    ann, ben, moderator = (
        await client.join("ann"),
        await client.join("ben"),
        await make_staff("admin"),
    )
    article = (await ann.post_article())["id"]
    await restrict(services, ben.id, SanctionKind.PRE_MODERATION)
    comment = (await ben.reply(article))["id"]
    assert await list_kinds(ann) == await list_kinds(ben) == []
    await act(moderator, "approve", comment)
    (told,) = await list_inbox(ben)
    assert describe(told) == ("approve", "visible", "spam")
    assert told["comment"]["excerpt"] == "I see."
    assert await list_kinds(ann) == ["article_reply"]
    async with services.database.read_session() as session:
        rows = await session.scalars(
            text("SELECT payload FROM events WHERE type = 'notifications_added'")
        )
        # One event for all of a transaction.
        (payload,) = rows.all()
        assert len(payload["notification_ids"]) == len(payload["user_ids"]) == 2


async def test_a_shadow_ban_is_not_betrayed(
    client: Client, services: Services, make_staff: MakeStaff
) -> None:
    ann, ben, moderator = (
        await client.join("ann"),
        await client.join("ben"),
        await make_staff("admin"),
    )
    article = (await ann.post_article())["id"]
    before = (await ben.reply(article))["id"]
    await restrict(services, ben.id, SanctionKind.SHADOW_BAN)
    unseen = (await ben.reply(article))["id"]
    assert await list_kinds(ann) == ["article_reply"]
    # Their author sees no difference.
    await act(moderator, "approve", unseen)
    assert await list_kinds(ben) == []
    await act(moderator, "remove", unseen)
    await act(moderator, "hide", before)
    assert [describe(one)[:2] for one in await list_inbox(ben)] == [
        ("hide", "hidden"),
        ("remove", "removed"),
    ]


async def test_sanctions_and_appeals(
    client: Client, services: Services, make_staff: MakeStaff
) -> None:
    ben, moderator, admin = (
        await client.join("ben"),
        await make_staff("moderator"),
        await make_staff("admin"),
    )
    path = "/v1/users/ben/sanctions"

    async def sanction(kind: str, **fields: Any) -> dict[str, Any]:
        body = {"kind": kind, "reason": "abuse", "note": "For staff.", **fields}
        return dict(expect(await moderator.client.post(path, body), 201))

    for kind in ("note", "pre_moderation", "shadow_ban"):
        made = await sanction(kind)
        expect(await moderator.client.delete(f"{path}/{made['id']}"), 204)
    assert await list_kinds(ben) == []
    warning = await sanction("warning", message="Enough.")
    (told,) = await list_inbox(ben)
    assert describe(told) == ("sanction", None, "abuse")
    assert told["decision"]["sanction"] == {
        "kind": "warning",
        "message": "Enough.",
        "ends_at": None,
    }
    expect(await moderator.client.delete(f"{path}/{warning['id']}"), 204)
    assert describe((await list_inbox(ben))[0]) == ("lift_sanction", None, "abuse")
    silence = await sanction("ban", message="Really.")
    ben = await client.log_in("ben", ben.user)
    appeal = expect(
        await ben.client.post("/v1/appeals", {"log_id": silence["log_id"], "text": "Sorry."}), 201
    )
    body = {"is_granted": True, "reason": "It was a quotation."}
    expect(await admin.client.post(f"/v1/appeals/{appeal['id']}/decision", body), 200)
    # That the ban was lifted is not told twice.
    assert await list_kinds(ben) == ["appeal", "decision", "decision", "decision"]
    (told, *_) = await list_inbox(ben)
    assert told["appeal"] == {
        "id": appeal["id"],
        "log_id": silence["log_id"],
        "state": "granted",
        "decision_reason": "It was a quotation.",
    }
    assert "staff" not in str(await list_inbox(ben))
    await check_inboxes(services, ben)


async def test_a_granted_appeal_about_a_comment_tells_once(
    client: Client, services: Services, make_staff: MakeStaff
) -> None:
    ann, ben = await client.join("ann"), await client.join("ben")
    moderator, admin = await make_staff("moderator"), await make_staff("admin")
    article = (await ann.post_article())["id"]
    comment = (await ben.reply(article))["id"]
    await act(moderator, "remove", comment)
    (told,) = await list_inbox(ben)
    body = {"log_id": told["decision"]["log_id"], "text": "Sorry."}
    appeal = expect(await ben.client.post("/v1/appeals", body), 201)
    body = {"is_granted": True, "reason": "It was a quotation."}
    expect(await admin.client.post(f"/v1/appeals/{appeal['id']}/decision", body), 200)
    assert await list_kinds(ben) == ["appeal", "decision"]
    assert (await list_inbox(ben))[0]["comment"]["id"] == comment
    assert await list_kinds(ann) == ["article_reply"]
    await check_inboxes(services, ann, ben)


async def test_a_webhook_that_was_disabled_twice(client: Client, services: Services) -> None:
    ben = await client.join("ben")
    webhook_id = uuid4()
    for number in (1, 2):
        async with services.unit_of_work() as uow:
            await notify_webhook_disabled(uow, user_id=UUID(ben.id), webhook_id=webhook_id)
        [event] = uow.events
        (told,) = await list_inbox(ben)
        assert (told["number"], told["is_read"]) == (number, False)
        assert (told["kind"], told["webhook_id"]) == ("webhook_disabled", str(webhook_id))
        ids = [UUID(one) for one in event.to_payload()["notification_ids"]]
        async with services.database.read_session() as session:
            (row,) = await find_deliverable(session, ids)
            assert row["recipient_email"] == "ben@example.com"
            await mark_read(ben, up_to=9)
            assert await find_deliverable(session, ids) == []
