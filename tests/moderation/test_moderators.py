"""Moderators of single articles and tags: who appoints them, and where they may moderate."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import select
from sqlmodel import col

from api.kit.services import Services
from models import LogAction, ModerationLogEntry, SanctionKind
from tests.client import Client, Person, expect, expect_problem
from tests.credentials import restrict
from tests.screening.rules import add_rules, change_settings

MakeStaff = Callable[[str], Awaitable[Person]]
ANY = {"If-Match": "*"}


async def appoint(admin: Person, person: Person, **subjects: Any) -> dict[str, Any]:
    response = await admin.client.put(f"/v1/moderators/{person.handle}", subjects)
    return dict(expect(response, 200))


async def test_a_moderator_of_an_article_moderates_there_and_nowhere_else(
    client: Client, make_staff: MakeStaff
) -> None:
    admin, lee, max_ = await make_staff("admin"), await client.join("lee"), await client.join("max")
    here, elsewhere = await lee.post_article("Here"), await lee.post_article("Elsewhere")
    await appoint(admin, max_, article_ids=[here["id"]])
    for article, may in ((here, True), (elsewhere, False)):
        comment = await lee.reply(article["id"])
        path = f"/v1/articles/{article['id']}"
        viewer = expect(await max_.client.get(f"{path}/viewer"), 200)
        assert (viewer["may_moderate"], viewer["may_edit_article"]) == (may, may)
        locked = await max_.client.patch(path, {"is_locked": True}, headers=ANY)
        removed = await max_.client.delete(f"/v1/comments/{comment['id']}", headers=ANY)
        if may:
            expect(locked, 200)
            expect(removed, 204)
            # The lock is not for those who moderate here.
            await max_.reply(article["id"])
            refused = await lee.client.post(f"{path}/comments", {"body": "No."})
            expect_problem(refused, 409, "article_locked")
        else:
            expect_problem(locked, 403, "not_your_article")
            expect_problem(removed, 403, "not_your_comment")


async def test_a_moderator_of_a_tag_moderates_what_has_the_tag_as_long_as_it_has(
    client: Client, make_staff: MakeStaff
) -> None:
    admin, lee, max_ = await make_staff("admin"), await client.join("lee"), await client.join("max")
    article = await lee.post_article(tags=["space", "docking"])
    await appoint(admin, max_, tags=["space", "other"])
    path = f"/v1/articles/{article['id']}"
    assert expect(await max_.client.get(f"{path}/viewer"), 200)["may_moderate"]
    expect(await lee.client.patch(path, {"tags": ["docking"]}, headers=ANY), 200)
    assert not expect(await max_.client.get(f"{path}/viewer"), 200)["may_moderate"]
    comment = await lee.reply(article["id"])
    refused = await max_.client.delete(f"/v1/comments/{comment['id']}", headers=ANY)
    expect_problem(refused, 403, "not_your_comment")


async def test_a_dismissal_applies_to_the_next_request(
    client: Client, make_staff: MakeStaff, services: Services
) -> None:
    admin, lee, max_ = await make_staff("admin"), await client.join("lee"), await client.join("max")
    article = await lee.post_article(tags=["space"])
    appointed = await appoint(admin, max_, tags=["space"], article_ids=[article["id"]])
    assert appointed == {
        "person": appointed["person"],
        "tags": ["space"],
        "article_ids": [article["id"]],
    }
    (listed,) = expect(await admin.client.get("/v1/moderators"), 200)["data"]
    assert listed == appointed
    # The same again changes nothing, and is not logged.
    await appoint(admin, max_, tags=["space"], article_ids=[article["id"]])
    viewer = f"/v1/articles/{article['id']}/viewer"
    assert expect(await max_.client.get(viewer), 200)["may_moderate"]
    expect(await admin.client.delete("/v1/moderators/max"), 204)
    assert not expect(await max_.client.get(viewer), 200)["may_moderate"]
    refused = await admin.client.delete("/v1/moderators/max")
    expect_problem(refused, 404, "moderator_not_found")
    assert expect(await admin.client.get("/v1/moderators"), 200)["data"] == []
    async with services.database.read_session() as session:
        logged = (
            await session.scalars(
                select(ModerationLogEntry).order_by(col(ModerationLogEntry.created_at))
            )
        ).all()
    assert [one.action for one in logged] == [LogAction.ASSIGN, LogAction.UNASSIGN]
    assert logged[0].after == logged[1].before
    assert logged[0].after == {"article_ids": [article["id"]], "tags": ["space"]}


async def test_only_administrators_appoint(client: Client, make_staff: MakeStaff) -> None:
    moderator, lee = await make_staff("moderator"), await client.join("lee")
    for person in (moderator, lee):
        for response in (
            await person.client.get("/v1/moderators"),
            await person.client.put("/v1/moderators/lee", {"tags": ["space"]}),
            await person.client.delete("/v1/moderators/lee"),
        ):
            expect_problem(response, 403, "not_an_administrator")


async def test_an_article_that_is_not_there_cannot_be_moderated(
    client: Client, make_staff: MakeStaff
) -> None:
    admin, lee = await make_staff("admin"), await client.join("lee")
    body = {"tags": ["space"], "article_ids": [lee.id]}
    refused = await admin.client.put("/v1/moderators/lee", body)
    expect_problem(refused, 404, "article_not_found")
    assert expect(await admin.client.get("/v1/moderators"), 200)["data"] == []


async def test_two_appointments_at_once_leave_one_of_them(
    client: Client, make_staff: MakeStaff
) -> None:
    admin = await make_staff("admin")
    await client.join("lee")
    bodies = [{"tags": ["a", "b"]}, {"tags": ["b", "c"]}]
    for _ in range(5):
        responses = await asyncio.gather(
            *(admin.client.put("/v1/moderators/lee", body) for body in bodies * 2)
        )
        assert {one.status_code for one in responses} == {200}
        (listed,) = expect(await admin.client.get("/v1/moderators"), 200)["data"]
        assert listed["tags"] in [body["tags"] for body in bodies]


async def test_who_moderates_an_article_or_tag_is_screened_as_staff_there(
    client: Client, make_staff: MakeStaff, services: Services
) -> None:
    admin, lee, max_ = await make_staff("admin"), await client.join("lee"), await client.join("max")
    of_article, of_tag = await lee.post_article(), await lee.post_article(tags=["space"])
    elsewhere = await lee.post_article("Elsewhere")
    await appoint(admin, max_, article_ids=[of_article["id"]], tags=["space"])
    await add_rules(services, ("word", "blorp", "hold"))
    for article, state in ((of_article, "visible"), (of_tag, "visible"), (elsewhere, "pending")):
        assert (await max_.reply(article["id"], "A blorp."))["state"] == state
        comment = (await max_.reply(article["id"], "Fine."))["id"]
        edited = expect(await max_.edit(comment, "Now a blorp."), 200)
        assert edited["state"] == ("visible" if state == "visible" else "hidden")
        assert (await lee.reply(article["id"], "A blorp."))["state"] == "pending"
    # A sanction applies to them all the same.
    await restrict(services, max_.id, SanctionKind.PRE_MODERATION)
    assert (await max_.reply(of_article["id"], "Fine, too."))["state"] == "pending"


async def test_who_moderates_an_article_or_tag_reads_revisions_there(
    client: Client, make_staff: MakeStaff, services: Services
) -> None:
    admin, lee, max_ = await make_staff("admin"), await client.join("lee"), await client.join("max")
    of_article, of_tag = await lee.post_article(), await lee.post_article(tags=["space"])
    elsewhere = await lee.post_article("Elsewhere")
    await appoint(admin, max_, article_ids=[of_article["id"]], tags=["space"])
    await change_settings(services, revisions_visible_to="staff")
    for article, may in ((of_article, True), (of_tag, True), (elsewhere, False)):
        comment = (await lee.reply(article["id"], "Before."))["id"]
        expect(await lee.edit(comment, "After."), 200)
        response = await max_.client.get(f"/v1/comments/{comment}/revisions")
        if may:
            assert [one["body"] for one in expect(response, 200)["data"]] == ["Before."]
        else:
            expect_problem(response, 403, "revisions_not_shown")
