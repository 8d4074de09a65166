"""A shadow ban: its author takes every comment for visible, and nobody else notices one."""

from typing import Any

import pytest
from sqlalchemy import text

from api.kit.services import Services
from models import SanctionKind
from tests.client import expect, expect_problem
from tests.credentials import restrict
from tests.moderation.conftest import Forum

MARKER = "zqshadowqz"
# Of anna, who is mentioned.
TEXT = f"{MARKER}, @anna!"


async def list_events(services: Services) -> list[dict[str, Any]]:
    async with services.database.read_session() as session:
        rows = await session.execute(text("SELECT type, payload FROM events ORDER BY id"))
    return [dict(row) for row in rows.mappings()]


async def read_own(forum: Forum, article: str) -> list[tuple[str, str, str]]:
    """Return what the author finds of their own: ids, states and texts."""
    viewer = expect(await forum.author.client.get(f"/v1/articles/{article}/viewer"), 200)
    return [(one["id"], one["state"], one["body"]) for one in viewer["pending_comments"]]


async def find_leaks(forum: Forum, article: str, comment: str) -> list[str]:
    """Return the paths that show the marker to others than the author and moderators."""
    paths = (
        *(f"/v1/articles/{article}", f"/v1/articles/{article}/viewer"),
        *(f"/v1/articles/{article}/comments", f"/v1/articles/{article}/comments/flat"),
        *(f"/v1/comments/{comment}", f"/v1/comments/{comment}/revisions"),
        *("/v1/users/olga", "/v1/users/olga/comments"),
    )
    return [
        path
        for path in paths
        for client in (forum.client, forum.reader.client)
        if MARKER in (await client.get(path)).text
    ]


@pytest.fixture
async def article(forum: Forum) -> str:
    article = str((await forum.reader.post_article())["id"])
    await restrict(forum.services, forum.author.id, SanctionKind.SHADOW_BAN)
    return article


async def test_what_is_written_is_visible_to_its_author_alone(forum: Forum, article: str) -> None:
    comment = await forum.author.reply(article, TEXT)
    assert comment["state"] == "visible"
    assert await read_own(forum, article) == [(comment["id"], "visible", TEXT)]
    assert await find_leaks(forum, article, comment["id"]) == []
    refused = await forum.client.get(f"/v1/comments/{comment['id']}")
    expect_problem(refused, 404, "comment_not_found")
    assert expect(await forum.client.get(f"/v1/articles/{article}"), 200)["comment_count"] == 0
    assert await forum.queue() == []
    events = await list_events(forum.services)
    assert "review_requested" not in {event["type"] for event in events}
    assert forum.reader.id not in str([e for e in events if e["type"].startswith("comment")])


async def test_an_edit_publishes_nothing(forum: Forum, article: str) -> None:
    comment = (await forum.author.reply(article, "First."))["id"]
    # The same text again changes nothing, and says nothing.
    for body in (TEXT, TEXT, f"{TEXT} Again."):
        edited = expect(await forum.author.edit_anyway(comment, body), 200)
        assert (edited["state"], edited["body"]) == ("visible", body)
        assert await read_own(forum, article) == [(comment, "visible", body)]
    assert await find_leaks(forum, article, comment) == []
    assert await forum.queue() == []
    edits = [e for e in await list_events(forum.services) if e["type"] == "comment_edited"]
    assert len(edits) == 2
    assert forum.reader.id not in str(edits)
    expect_problem(await forum.reader.edit_anyway(comment, "Another's."), 404, "comment_not_found")
    expect(await forum.author.take_back_anyway(comment), 204)
    assert await read_own(forum, article) == []


async def test_an_edit_of_what_was_visible_before_hides_it_from_others(forum: Forum) -> None:
    comment = await forum.post("Before.")
    article = comment["article_id"]
    await restrict(forum.services, forum.author.id, SanctionKind.SHADOW_BAN)
    for body in (TEXT, f"{TEXT} Again."):
        edited = expect(await forum.author.edit_anyway(comment["id"], body), 200)
        assert (edited["state"], edited["body"]) == ("visible", body)
        assert await read_own(forum, article) == [(comment["id"], "visible", body)]
    assert await find_leaks(forum, article, comment["id"]) == []
    assert await forum.queue() == []
    assert forum.reader.id not in str(
        [e for e in await list_events(forum.services) if e["type"] == "comment_edited"]
    )
    expect(await forum.author.take_back_anyway(comment["id"]), 204)


async def test_after_the_ban_what_nobody_saw_stays_so(forum: Forum, article: str) -> None:
    comment = (await forum.author.reply(article, TEXT))["id"]
    async with forum.services.database.write_session() as session:
        await session.execute(text("UPDATE sanctions SET lifted_at = now()"))
    assert await read_own(forum, article) == [(comment, "pending", TEXT)]
    refused = await forum.author.edit_anyway(comment, "Shown?")
    expect_problem(refused, 404, "comment_not_found")
    assert await find_leaks(forum, article, comment) == []
