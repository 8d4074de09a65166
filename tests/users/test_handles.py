"""A handle belongs to one person for ever, also when they go by another one."""

from typing import Any

from sqlalchemy import text

from api.kit.services import Services
from tests.client import PASSWORD, Client, Person, expect, expect_problem


async def rename(person: Person, handle: str) -> dict[str, Any]:
    changed = await person.client.patch("/v1/me", {"handle": handle}, headers={"If-Match": "*"})
    user: dict[str, Any] = expect(changed, 200)
    return user


async def test_an_old_handle_leads_to_its_owner(client: Client) -> None:
    max_ = await client.join("max")
    comment = await max_.reply((await max_.post_article())["id"])
    await rename(max_, "Maximilian")
    for handle in ("max", "MAX", "maximilian"):
        found = expect(await client.get(f"/v1/users/{handle}"), 200)
        assert (found["id"], found["handle"]) == (max_.id, "maximilian")
        comments = expect(await client.get(f"/v1/users/{handle}/comments"), 200)
        assert [one["id"] for one in comments["data"]] == [comment["id"]]
    lee = await client.join("lee")
    greeted = await lee.reply(comment["article_id"], "Hello @max")
    assert [mention["handle"] for mention in greeted["mentions"]] == ["maximilian"]


async def test_nobody_else_gets_an_old_handle(client: Client) -> None:
    max_, lee = await client.join("modern"), await client.join("lee")
    await rename(max_, "maximilian")
    for handle in ("modern", "m0dern", "maximilian"):
        body = {"handle": handle, "email": "new@example.com", "password": PASSWORD}
        expect_problem(await client.post("/v1/users", body), 409, "handle_taken")
        taken = await lee.client.patch("/v1/me", {"handle": handle}, headers={"If-Match": "*"})
        expect_problem(taken, 409, "handle_taken")
    assert expect(await client.get("/v1/users/modern"), 200)["id"] == max_.id
    assert expect(await lee.client.get("/v1/me"), 200)["handle"] == "lee"


async def test_people_return_to_handles_of_their_own(client: Client, services: Services) -> None:
    max_ = await client.join("max")
    for handle in ("maximilian", "max", "maximilian", "max"):
        assert (await rename(max_, handle))["handle"] == handle
    async with services.database.read_session() as session:
        handles = await session.scalars(text("SELECT handle FROM handles ORDER BY handle"))
        assert list(handles) == ["max", "maximilian"]


async def test_people_may_take_a_look_alike_of_their_own_handle(
    client: Client, services: Services
) -> None:
    max_, lee = await client.join("modern"), await client.join("lee")
    for handle in ("m0dern", "mod-ern", "rnodern", "modern", "m0dern"):
        assert (await rename(max_, handle))["handle"] == handle
    await rename(max_, "maximilian")
    for handle in ("modern", "m0dern", "mod_ern", "maxlml11an"):
        taken = await lee.client.patch("/v1/me", {"handle": handle}, headers={"If-Match": "*"})
        expect_problem(taken, 409, "handle_taken")
    for handle in ("modern", "m0dern", "mod-ern", "rnodern"):
        assert expect(await client.get(f"/v1/users/{handle}"), 200)["id"] == max_.id


async def test_one_logs_in_by_the_handle_one_has(client: Client) -> None:
    max_ = await client.join("max")
    await rename(max_, "maximilian")
    await client.log_in("maximilian")
    await client.log_in("max@example.com")
    old = await client.post("/v1/sessions", {"login": "max", "password": PASSWORD})
    expect_problem(old, 401, "invalid_credentials")


async def test_a_handle_nobody_had_leads_nowhere(client: Client) -> None:
    await client.join("max")
    for handle in ("lee", "ma", "max%", "m_x", "\u212aim"):
        for path in (f"/v1/users/{handle}", f"/v1/users/{handle}/comments"):
            expect_problem(await client.get(path), 404, "user_not_found")
    for handle in ("x" * 33, "max%00"):
        assert (await client.get(f"/v1/users/{handle}")).status_code in (400, 404)
