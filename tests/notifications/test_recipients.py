"""Who is notified of what: everybody who should know, once, and nobody else."""

import itertools
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from api.kit.services import Services
from api.notifications.recipients import service as recipients
from api.notifications.recipients.queries import Occasions, add_notifications
from api.notifications.subscriptions import queries as subscriptions
from api.transfer.service import import_thread
from api.transfer.thread_file import ImportedArticle, ImportedComment, ThreadFile
from models import CommentState, SanctionKind, SubscriptionLevel
from tests.client import Client, Person, expect
from tests.credentials import restrict
from tests.lifecycle import change_states
from tests.notifications.inboxes import (
    check_inboxes,
    follow,
    list_inbox,
    list_kinds,
    mark_read,
)
from tests.screening.rules import add_rules
from tests.working import work_off

LEVELS = st.sampled_from([None, None, *SubscriptionLevel])
NAMES = ("ann", "ben", "cem", "dee", "eve")
PEOPLE = st.sampled_from(range(len(NAMES)))

_turns = itertools.count(1)


async def test_the_strongest_reason(client: Client, services: Services) -> None:
    ann, ben, cem, dee = [await client.join(name) for name in ("ann", "ben", "cem", "dee")]
    article = (await ann.post_article())["id"]
    first = await ben.reply(article, "First, @cem and @ben.")
    reply = await dee.reply(article, "I agree, @ann.", first["id"])
    assert await list_kinds(ann) == ["mention", "article_reply"]
    assert await list_kinds(ben) == ["comment_reply"]
    (mention,) = await list_inbox(cem)
    assert (mention["kind"], mention["actor"]["handle"]) == ("mention", "ben")
    assert mention["comment"] == {
        "id": first["id"],
        "parent_id": None,
        "excerpt": "First, @cem and @ben.",
    }
    assert mention["article"]["id"] == article
    assert await list_kinds(dee) == []
    # Those who wrote in the thread follow it; the one who was mentioned did not.
    await cem.reply(article, "Me too.", first["id"])
    assert await list_kinds(dee) == ["followed"]
    assert await list_kinds(ann) == ["followed", "mention", "article_reply"]
    (newest, _) = await list_inbox(ben)
    assert newest["group_id"] == first["id"]
    assert reply["id"] not in str(newest)
    await check_inboxes(services, ann, ben, cem, dee)


def choose_kind(  # noqa: PLR0911 - one line for each rule
    *,
    person: int,
    commenter: int,
    replied_to: int | None,
    owner: int,
    mentioned: set[int],
    article: SubscriptionLevel | None,
    other: SubscriptionLevel | None,
    tag: SubscriptionLevel | None,
) -> str | None:
    """Return what a person is told of a comment: the rules, as docs/notifications.md says them."""
    if person == commenter or other == "mute" or article == "mute":
        return None
    if article is None and tag == "mute":
        return None
    if person in mentioned:
        return "mention"
    if person == replied_to:
        return "comment_reply"
    if replied_to is None and person == owner:
        return "article_reply"
    if article is not None:
        return "followed" if article == "all" else None
    return "followed" if "all" in (other, tag) else None


@pytest.fixture
async def people(client: Client) -> list[Person]:
    return [await client.join(name) for name in NAMES]


@settings(max_examples=20)
@given(data=st.data())
async def test_the_recipients_are_those_of_a_simple_model(
    services: Services, people: list[Person], data: Any
) -> None:
    turn = next(_turns)
    owner, replier, commenter = (data.draw(PEOPLE) for _ in range(3))
    mentioned = data.draw(st.sets(PEOPLE, max_size=2))
    is_reply = data.draw(st.booleans())
    article = (await people[owner].post_article(f"Number {turn}", tags=[f"tag-{turn}"]))["id"]
    parent = (await people[replier].reply(article))["id"] if is_reply else None
    levels = []
    for index, person in enumerate(people):
        chosen = {name: data.draw(LEVELS) for name in ("article", "other", "tag")}
        await choose_levels(services, person, people[commenter], article, f"tag-{turn}", chosen)
        # Who wrote in the thread follows it, unless they choose another level.
        wrote = index == owner or (is_reply and index == replier)
        levels.append(chosen | {"article": chosen["article"] or ("all" if wrote else None)})
    words = " ".join(["I see.", *(f"@{NAMES[one]}" for one in mentioned)])
    comment = await people[commenter].reply(article, words, parent)
    async with services.database.read_session() as session:
        rows = await session.execute(
            text("SELECT user_id, kind FROM notifications WHERE object_id = :id"),
            {"id": UUID(comment["id"])},
        )
        told = {str(row.user_id): row.kind for row in rows}
    expected = {
        person.id: choose_kind(
            person=index,
            commenter=commenter,
            replied_to=replier if is_reply else None,
            owner=owner,
            mentioned=mentioned,
            **levels[index],
        )
        for index, person in enumerate(people)
    }
    assert told == {one: kind for one, kind in expected.items() if kind}
    await check_inboxes(services, *people)


async def choose_levels(
    services: Services, person: Person, other: Person, article: str, tag: str, chosen: Any
) -> None:
    me, other_id = UUID(person.id), UUID(other.id)
    async with services.unit_of_work() as uow:
        if level := chosen["article"]:
            await subscriptions.set_of_article(
                uow.session, me, UUID(article), level=level, now=uow.now
            )
        if level := chosen["tag"]:
            await subscriptions.set_of_tag(uow.session, me, tag, level=level, now=uow.now)
        await subscriptions.delete_of_user(uow.session, me, other_id)
        if (level := chosen["other"]) and other_id != me:
            await subscriptions.set_of_user(uow.session, me, other_id, level=level, now=uow.now)


async def test_new_articles_and_comments_of_those_one_follows(
    client: Client, services: Services, people: list[Person]
) -> None:
    ann, ben, cem, dee, eve = people
    await follow(ben, "users/ann", "all")
    await follow(cem, "tags/space", "all")
    for what in ("users/ann", "tags/space"):
        await follow(dee, what, "all")
    await follow(dee, "tags/ports", "mute")
    await follow(eve, "tags/space", "all")
    await follow(eve, "users/ann", "mute")
    article = (await ann.post_article(tags=["space"]))["id"]
    await ann.post_article("Of a muted tag", tags=["space", "ports"])
    assert await list_kinds(ben) == ["new_article"] * 2
    assert await list_kinds(cem) == ["new_article"] * 2
    # One row for two reasons, and none for what the muted tag has.
    (told,) = await list_inbox(dee)
    assert told["article"]["id"] == article
    assert await list_kinds(eve) == []
    await ann.reply(article)
    assert [(await list_kinds(one))[0] for one in (ben, cem, dee)] == ["followed"] * 3
    # Replies of others to those whom one follows are not theirs.
    await eve.reply(article)
    assert len(await list_kinds(ben)) == 3
    assert len(await list_kinds(cem)) == 4
    await check_inboxes(services, *people)


async def test_threads_are_followed_by_those_who_write_in_them(
    client: Client, people: list[Person]
) -> None:
    ann, ben, cem, dee, _ = people
    article = (await ann.post_article())["id"]
    off = {"follows_own_threads": False}
    expect(await ben.client.put("/v1/me/notification-settings", off), 200)
    path = f"/v1/articles/{article}/subscription"
    first = await ben.reply(article)
    await cem.reply(article, parent=first["id"])
    assert expect(await ben.client.get(path), 200) == {
        "level": "replies",
        "is_default": True,
        "is_automatic": False,
    }
    automatic = {"level": "all", "is_default": False, "is_automatic": True}
    assert expect(await cem.client.get(path), 200) == automatic
    await dee.reply(article)
    assert await list_kinds(ben) == ["comment_reply"]
    assert await list_kinds(cem) == ["followed"]
    # The author of the article is told of replies to others as well.
    assert await list_kinds(ann) == ["article_reply", "followed", "article_reply"]
    # A chosen level stays whatever one writes.
    await follow(dee, f"articles/{article}", "mute")
    await dee.reply(article)
    await cem.reply(article, "@dee")
    assert await list_kinds(dee) == []
    expect(await cem.client.delete(path), 204)
    await dee.reply(article)
    assert await list_kinds(cem) == ["followed"] * 2


async def test_an_edit_notifies_of_new_mentions_only(
    client: Client, services: Services, people: list[Person]
) -> None:
    ann, ben, cem, dee, _ = people
    article = (await ann.post_article())["id"]
    await ben.reply(article)
    comment = (await cem.reply(article, "See @dee."))["id"]
    await mark_read(ben, up_to=9)
    expect(await cem.edit_anyway(comment, "See @dee and @ben."), 200)
    (told,) = await list_inbox(ben)
    # Of the comment it was told before, for a weaker reason: it comes back, unread.
    assert (told["kind"], told["number"], told["is_read"]) == ("mention", 2, False)
    assert await list_kinds(dee) == ["mention"]
    # Once: whatever the author does with the name.
    for words in ("See.", "See @ben.", "See @ben and @dee."):
        expect(await cem.edit_anyway(comment, words), 200)
    assert [one["number"] for one in await list_inbox(ben)] == [2]
    assert await list_kinds(ann) == ["article_reply"] * 2
    assert await list_kinds(dee) == ["mention"]


async def test_what_is_held_notifies_when_it_is_approved(
    client: Client, services: Services, people: list[Person]
) -> None:
    ann, ben, cem, dee, eve = people
    article = (await ann.post_article())["id"]
    await ben.reply(article)
    await restrict(services, eve.id, SanctionKind.PRE_MODERATION)
    comment = (await eve.reply(article, "See @dee, @eve and @dee."))["id"]
    assert await list_kinds(ann) == ["article_reply"]
    assert await list_kinds(ben) == await list_kinds(dee) == []
    await change_states(services, article, [comment], CommentState.VISIBLE)
    assert await list_kinds(ann) == ["article_reply"] * 2
    assert await list_kinds(ben) == ["followed"]
    assert await list_kinds(dee) == ["mention"]
    assert await list_kinds(eve) == []
    # From then on its author follows the thread.
    await cem.reply(article)
    assert await list_kinds(eve) == ["followed"]
    # Hidden and shown again, it notifies nobody a second time.
    before = [await list_inbox(person) for person in people]
    await change_states(services, article, [comment], CommentState.HIDDEN)
    assert await list_kinds(dee) == []
    await check_inboxes(services, *people)
    await change_states(services, article, [comment], CommentState.VISIBLE)
    assert [await list_inbox(person) for person in people] == before
    await check_inboxes(services, *people)


async def test_an_edit_that_is_held_notifies_when_it_is_approved(
    client: Client, services: Services, people: list[Person]
) -> None:
    ann, ben, cem, dee, _ = people
    article = (await ann.post_article())["id"]
    await add_rules(services, ("word", "blorp", "hold"))
    comment = (await ben.reply(article, "See @cem."))["id"]
    await mark_read(cem, up_to=9)
    expect(await ben.edit_anyway(comment, "See @cem and @dee, blorp."), 200)
    assert await list_kinds(dee) == await list_kinds(cem) == []
    await change_states(services, article, [comment], CommentState.VISIBLE)
    assert await list_kinds(dee) == ["mention"]
    (known,) = await list_inbox(cem)
    assert (known["number"], known["is_read"]) == (1, True)
    await check_inboxes(services, *people)


async def test_more_followers_than_one_transaction_notifies(
    client: Client, services: Services, people: list[Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recipients, "MAX_AT_ONCE", 2)
    monkeypatch.setattr(recipients, "MAX_BY_WORKER", 1)
    ann, *others = people
    for person, what in zip(others, ("users/ann", "tags/space") * 2, strict=True):
        await follow(person, what, "all")
    article = (await ann.post_article(tags=["space"]))["id"]
    await work_off(services)
    assert [await list_kinds(person) for person in others] == [["new_article"]] * 4
    comment = (await ann.reply(article, f"See @{others[3].handle}."))["id"]
    # Of the first two followers one is the author.
    assert sum([len(await list_kinds(person)) for person in others]) == 4 + 2
    # Hidden before the others are told: they see it when it is restored.
    await change_states(services, article, [comment], CommentState.HIDDEN)
    await work_off(services)
    await change_states(services, article, [comment], CommentState.VISIBLE)
    assert [(await list_kinds(person))[0] for person in others] == ["followed"] * 3 + ["mention"]
    # What is delivered again is told nobody again.
    async with services.database.write_session() as session:
        await session.execute(
            text("UPDATE events SET relayed_at = NULL WHERE type = 'followers_left'")
        )
    await work_off(services)
    assert [len(await list_kinds(person)) for person in others] == [2] * 4
    await check_inboxes(services, *people)


async def test_what_nobody_else_sees_notifies_nobody(
    client: Client, services: Services, people: list[Person]
) -> None:
    ann, ben, cem, _, eve = people
    article = (await ann.post_article(external_id="site-1"))["id"]
    await restrict(services, eve.id, SanctionKind.SHADOW_BAN)
    comment = (await eve.reply(article, "See @dee."))["id"]
    expect(await eve.edit_anyway(comment, "See @dee and @cem."), 200)
    # Under a removed article nothing is left of what was told.
    await ben.reply(article, "See @cem.")
    assert await list_kinds(cem) == ["mention"]
    headers = {"If-Match": "*"}
    expect(await ann.client.delete(f"/v1/articles/{article}", headers=headers), 204)
    for person in people:
        assert await list_kinds(person) == []
    await check_inboxes(services, *people)


async def test_imports_notify_nobody(client: Client, services: Services) -> None:
    ann = await client.join("ann")
    await follow(ann, "tags/space", "all")
    comments = [
        ImportedComment(n=1, author="Jo", body="See @ann."),
        ImportedComment(n=2, author="Kim", replies_to=1, body="See @jo and @ann."),
    ]
    article = ImportedArticle(title="Old", author="Jo", published_on=date(2020, 1, 1))
    thread = ThreadFile(article=article, comments=comments)
    async with services.unit_of_work() as uow:
        await import_thread(uow, thread)
    async with services.database.read_session() as session:
        for table in ("notifications", "inboxes", "article_subscriptions"):
            assert await session.scalar(text(f"SELECT count(*) FROM {table}")) == 0


async def test_the_statement_is_not_planned_for_each_reply(
    client: Client, services: Services, people: list[Person]
) -> None:
    ann, ben, *_ = people
    article = (await ann.post_article())["id"]
    comment = (await ben.reply(article))["id"]
    occasions = Occasions(published={UUID(comment): UUID(article)})
    async with services.database.write_session() as session:
        for _ in range(10):
            now = services.clock.now()
            await add_notifications(session, occasions, max_followers=100, now=now)
        plans = await session.execute(
            text(
                "SELECT generic_plans, custom_plans FROM pg_prepared_statements "
                "WHERE statement LIKE '%INTO inboxes AS i%' AND statement NOT LIKE '%_plans%'"
            )
        )
    # PostgreSQL tries five times what it gains by planning for the values.
    [(generic, custom)] = plans.all()
    assert generic >= 5 >= custom
