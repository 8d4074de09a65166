"""Screening of comments: what is held, rejected or flagged, what of it is stored, and who sees it.

The words are invented.
"""

from typing import Any

import pytest
from sqlalchemy import text

from api.kit.services import Services
from models import CommentState, SanctionKind
from tests.client import Client, Person, expect, expect_problem
from tests.credentials import restrict
from tests.screening.rules import add_rules, change_settings, list_decisions


async def read_viewer(person: Person, article: str) -> dict[str, Any]:
    viewer: dict[str, Any] = expect(await person.client.get(f"/v1/articles/{article}/viewer"), 200)
    return viewer


@pytest.fixture
async def author(client: Client) -> Person:
    return await client.join("anna")


@pytest.fixture
async def article(author: Person) -> str:
    return str((await author.post_article())["id"])


async def test_a_held_comment_is_seen_by_its_author_alone(
    client: Client, services: Services, author: Person, article: str
) -> None:
    await add_rules(services, ("word", "blorp", "hold"))
    await client.join("max", display_name="Max")
    held = await author.reply(article, "You BL0RP, @max!")
    assert held["state"] == "pending"
    assert held["body"] == "You BL0RP, @max!"
    tree = await client.tree(article)
    assert tree["data"] == []
    expect_problem(await client.get(f"/v1/comments/{held['id']}"), 404, "comment_not_found")
    shown = expect(await client.get(f"/v1/articles/{article}"), 200)
    assert shown["comment_count"] == 0
    [seen] = (await read_viewer(author, article))["pending_comments"]
    unresolved = held.pop("unresolved_mentions")
    assert (seen, unresolved) == (held, [])
    another = await client.join()
    assert (await read_viewer(another, article))["pending_comments"] == []
    reply = await another.client.post(
        f"/v1/articles/{article}/comments", {"body": "So?", "parent_id": held["id"]}
    )
    expect_problem(reply, 404, "parent_not_found")
    [decision] = await list_decisions(services)
    assert decision["outcome"] == "hold"
    assert decision["phase"] == "words"
    assert decision["rule"] == "word: blorp"
    assert str(decision["comment_id"]) == held["id"]
    assert (decision["span_start"], decision["span_end"]) == (4, 9)
    assert decision["revision"] == 1


async def test_a_rejected_comment_leaves_a_decision_and_nothing_else(
    client: Client, services: Services, author: Person, article: str
) -> None:
    await add_rules(services, ("pattern", r"zw[i1]bbel\d+", "reject"), ("word", "gronk", "hold"))
    key = {"Idempotency-Key": "once"}
    body = {"body": "gronk, a zwibbel77"}
    refused = await author.client.post(f"/v1/articles/{article}/comments", body, headers=key)
    problem = expect_problem(refused, 422, "comment_rejected")
    assert problem["phase"] == "words"
    assert "zw" not in refused.text
    decisions = await list_decisions(services)
    assert {one["outcome"] for one in decisions if one["is_decisive"]} == {"reject"}
    assert all(one["comment_id"] is None for one in decisions)
    assert "zwibbel77" not in str(decisions)
    async with services.database.read_session() as session:
        counts = [
            await session.scalar(text(f"SELECT count(*) FROM {table}"))
            for table in ("comments", "idempotency_keys")
        ]
        version = await session.scalar(text("SELECT version FROM articles"))
    assert (counts, version) == ([0, 0], 0)
    # The same key is free for a better text.
    again = await author.client.post(
        f"/v1/articles/{article}/comments", {"body": "Better."}, headers=key
    )
    assert expect(again, 201)["state"] == "visible"


async def test_a_flagged_comment_is_shown(
    client: Client, services: Services, author: Person, article: str
) -> None:
    await add_rules(services, ("word", "blorp", "flag"))
    comment = await author.reply(article, "b.l.o.r.p")
    assert comment["state"] == "visible"
    assert [node["id"] for node in (await client.tree(article))["data"]] == [comment["id"]]
    [decision] = await list_decisions(services)
    assert decision["outcome"] == "flag"
    async with services.database.read_session() as session:
        events = await session.scalars(text("SELECT type FROM events ORDER BY id"))
    assert "review_requested" in set(events)


async def test_an_edit_that_is_held_hides_the_comment(
    client: Client, services: Services, author: Person, article: str
) -> None:
    comment = await author.reply(article, "Fine.")
    under = await author.reply(article, "Yes.", comment["id"])
    await add_rules(services, ("word", "blorp", "hold"), ("word", "gronk", "reject"))
    refused = await author.edit(comment["id"], "Now gronk.")
    expect_problem(refused, 422, "comment_rejected")
    assert expect(await client.get(f"/v1/comments/{comment['id']}"), 200)["body"] == "Fine."
    edited = expect(await author.edit(comment["id"], "Now bblorp, no: blorp."), 200)
    assert edited["state"] == "hidden"
    [node] = (await client.tree(article))["data"]
    assert (node["id"], node["body"], node["state"]) == (comment["id"], None, "hidden")
    assert [reply["id"] for reply in node["replies"]["data"]] == [under["id"]]
    decisions = await list_decisions(services)
    assert [(one["outcome"], one["revision"]) for one in decisions] == [("reject", 0), ("hold", 2)]


async def test_links_are_counted_and_their_hosts_looked_up(
    services: Services, author: Person, article: str
) -> None:
    await change_settings(services, max_links=1)
    await add_rules(
        services,
        ("domain", "good.example", "allow"),
        ("domain", "bad.example", "hold"),
        ("domain", "worse.bad.example", "reject"),
    )
    for body, state in (
        ("[one](https://one.example)", "visible"),
        ("https://one.example https://two.example", "pending"),
        ("https://a.good.example https://good.example https://one.example", "visible"),
        ("[x](https://www.BAD.example/x)", "pending"),
        ("https://notbad.example", "visible"),
    ):
        assert (await author.reply(article, body))["state"] == state, body
    refused = await author.client.post(
        f"/v1/articles/{article}/comments", {"body": "http://worse.bad.example."}
    )
    assert expect_problem(refused, 422, "comment_rejected")["phase"] == "links"


async def test_the_first_comments_of_an_account_are_held(
    services: Services, author: Person, article: str
) -> None:
    ids = [(await author.reply(article, f"Number {n}."))["id"] for n in range(2)]
    await change_settings(services, held_first_comments=3)
    assert (await author.reply(article, "Third."))["state"] == "pending"
    await change_settings(services, held_first_comments=2)
    assert (await author.reply(article, "Fourth."))["state"] == "visible"
    assert len(ids) == 2


async def test_the_same_text_again_and_again_is_held(
    services: Services, author: Person, article: str
) -> None:
    await change_settings(services, max_repeats=2, repeat_window_seconds=600)
    states = [(await author.reply(article, "Buy it."))["state"] for _ in range(4)]
    assert states == ["visible", "visible", "pending", "pending"]
    assert (await author.reply(article, "Other."))["state"] == "visible"


async def test_everything_under_a_pre_moderated_article_or_tag_is_held(
    client: Client, services: Services, author: Person
) -> None:
    one = (await author.post_article("One"))["id"]
    two = (await author.post_article("Two", tags=["space", "ports"]))["id"]
    async with services.database.write_session() as session:
        await session.execute(
            text("UPDATE articles SET is_pre_moderated = true WHERE id = :id"), {"id": one}
        )
        await session.execute(
            text(
                "INSERT INTO tag_settings (tag, is_pre_moderated, updated_at) "
                "VALUES ('ports', true, now())"
            )
        )
    for article in (one, two):
        assert (await author.reply(article))["state"] == "pending"
    other = (await author.post_article("Three", tags=["space"]))["id"]
    assert (await author.reply(other))["state"] == "visible"


async def test_staff_is_only_flagged(services: Services, article: str, make_staff: Any) -> None:
    await change_settings(services, held_first_comments=5, max_links=0)
    await add_rules(services, ("word", "blorp", "reject"))
    moderator = await make_staff("moderator")
    comment = await moderator.reply(article, "No blorp here, https://one.example")
    assert comment["state"] == CommentState.VISIBLE
    [decision] = await list_decisions(services)
    assert decision["outcome"] == "flag"


async def test_a_shadow_ban_is_not_noticed_by_the_author(
    client: Client, services: Services, author: Person, article: str
) -> None:
    before = await author.reply(article, "Before.")
    await restrict(services, author.id, SanctionKind.SHADOW_BAN)
    comment = await author.reply(article, "Marker of a shadow.")
    assert comment["state"] == "visible"
    [seen] = (await read_viewer(author, article))["pending_comments"]
    assert (seen["id"], seen["state"]) == (comment["id"], "visible")
    edited = expect(await author.edit(before["id"], "Marker of a shadow, edited."), 200)
    assert (edited["state"], edited["body"]) == ("visible", "Marker of a shadow, edited.")
    assert "Marker" not in str(await client.tree(article))
    assert {one["phase"] for one in await list_decisions(services)} == {"shadow_ban"}
    async with services.database.read_session() as session:
        asked = await session.scalar(
            text("SELECT count(*) FROM events WHERE type = 'review_requested'")
        )
    assert asked == 0


async def test_a_person_can_be_pre_moderated(
    services: Services, author: Person, article: str
) -> None:
    await restrict(services, author.id, SanctionKind.PRE_MODERATION)
    assert (await author.reply(article))["state"] == "pending"
    [decision] = await list_decisions(services)
    assert decision["phase"] == "pre_moderation"


async def test_rules_apply_with_the_next_comment_in_every_process(
    client: Client, services: Services, author: Person, article: str, start_process: Any
) -> None:
    other = await start_process()
    elsewhere = Person(Client(other.client.http, author.tokens["access_token"]), author.user, {})
    assert (await elsewhere.reply(article, "blorp"))["state"] == "visible"
    await add_rules(services, ("word", "blorp", "hold"))
    for person in (author, elsewhere):
        assert (await person.reply(article, "blorp"))["state"] == "pending"
