"""Limits for newcomers: they end with published comments where the settings say so."""

import pytest
from sqlalchemy import text

from api.auth import queries as auth
from api.auth.actor import ActorKind, kind_of
from api.auth.tokens import hash_token
from api.kit.services import Services
from api.kit.settings import Settings
from tests.client import Person, expect, expect_problem
from tests.conftest import MovableClock
from tests.forest import grow
from tests.moderation.conftest import Forum
from tests.plans import explain


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Rate limits as they ship: those of newcomers are lower."""
    return settings.model_copy(update={"rate_limits_enabled": True})


async def change_settings(forum: Forum, **changes: int) -> None:
    path, any_version = "/v1/moderation/settings", {"If-Match": "*"}
    response = await forum.moderator.client.patch(path, changes, headers=any_version)
    settings = expect(response, 200)
    assert {name: settings[name] for name in changes} == changes


async def find_quota(person: Person) -> str:
    """Return the quota that a person has for an edit of their profile."""
    response = await person.client.patch("/v1/me", {}, headers={"If-Match": "*"})
    return str(response.headers["ratelimit-policy"]).partition("q=")[2].partition(";")[0]


async def test_limits_end_with_published_comments_and_come_back(
    forum: Forum, clock: MovableClock
) -> None:
    await change_settings(forum, newcomer_approved_comments=2, newcomer_max_links=0)
    article = (await forum.reader.post_article())["id"]
    closed = (await forum.reader.post_article("For those we know"))["id"]
    path = f"/v1/articles/{closed}/settings"
    members_only = {"is_members_only": True}
    any_version = {"If-Match": "*"}
    expect(await forum.moderator.client.put(path, members_only, headers=any_version), 200)
    link = "See https://one.example"
    author = forum.author

    async def is_newcomer() -> bool:
        viewer = expect(await author.client.get(f"/v1/articles/{closed}/viewer"), 200)
        return not viewer["may_reply"]

    assert await find_quota(author) == "10"
    held = await author.reply(article, link)
    assert held["state"] == "pending"
    # However old the account is, and whatever else it wrote.
    clock.advance(days=30)
    author = forum.author = await forum.client.log_in("olga", author.user)
    moderator = forum.moderator = await forum.client.log_in("staff-moderator")
    first = await author.reply(article, "One.")
    refused = await author.client.post(f"/v1/articles/{closed}/comments", {"body": "Two?"})
    expect_problem(refused, 403, "members_only")
    assert await is_newcomer()
    await forum.act("approve", held["id"], by=moderator)
    assert not await is_newcomer()
    assert await find_quota(author) == "20"
    assert (await author.reply(closed, link))["state"] == "visible"
    # What is taken from sight proves nothing.
    await forum.act("remove", held["id"], first["id"], by=moderator)
    assert await is_newcomer()
    assert await find_quota(author) == "10"
    await change_settings(forum, newcomer_approved_comments=0)
    assert not await is_newcomer()


async def test_published_comments_are_counted_only_as_far_as_it_matters(
    forum: Forum, services: Services, clock: MovableClock
) -> None:
    article = (await forum.author.post_article())["id"]
    await grow(services, article, [None] * 300, author_id=forum.author.id)
    async with services.database.write_session() as session:
        # Of a few rows the planner takes any index.
        await session.execute(text("ANALYZE comments"))
    await change_settings(forum, newcomer_approved_comments=3)
    token_hash = hash_token(forum.author.tokens["access_token"])

    async def find() -> None:
        async with services.database.read_connection() as connection:
            actor = await auth.find_actor(connection, token_hash, clock.now())
        assert kind_of(actor, clock.now()) is ActorKind.MEMBER

    found = await explain(services, lambda _: find())
    counted = [scan for scan in found.scans if " comments " in scan]
    assert [scan.rpartition(" ")[2] for scan in counted] == ["ix_comments_author"]
    assert found.rows < 15
