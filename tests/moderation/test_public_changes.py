"""What events tell the public: never the id of a comment that only some people may see."""

import pytest
from sqlalchemy import text

from api.articles.changes import ArticleChange, PublicChange, PublicEvent
from api.effects import EFFECTS
from models import SanctionKind
from tests.client import expect
from tests.credentials import restrict
from tests.moderation.conftest import Forum


@pytest.fixture
async def article(forum: Forum) -> str:
    return str((await forum.reader.post_article())["id"])


async def list_changes(forum: Forum, article: str) -> list[PublicChange]:
    """Return what the public sees of each version, but for the article's first."""
    async with forum.services.database.read_session() as session:
        rows = await session.execute(
            text("SELECT type, payload FROM events WHERE article_id = :id ORDER BY version"),
            {"id": article},
        )
        events = [EFFECTS.event_types[row.type].from_payload(row.payload) for row in rows]
    changes = []
    for event in events:
        assert isinstance(event, PublicEvent)
        changes.append(event.get_public_change())
    assert changes[0] == PublicChange(article=ArticleChange.CREATED)
    return changes[1:]


async def test_a_comment_of_which_everybody_knows(forum: Forum, article: str) -> None:
    comment = (await forum.author.reply(article, "First."))["id"]
    expect(await forum.author.edit_anyway(comment, "Second."), 200)
    for action in ("hide", "restore", "remove", "restore"):
        await forum.act(action, comment)
    expect(
        await forum.author.client.delete(f"/v1/comments/{comment}", headers={"If-Match": "*"}), 204
    )
    changes = [
        {name for name in ("created", "edited", "restored", "removed") if getattr(change, name)}
        for change in await list_changes(forum, article)
    ]
    assert changes == [
        *({"created"}, {"edited"}),
        *({"removed"}, {"restored"}, {"removed"}, {"restored"}),
        {"removed"},
    ]


async def test_a_comment_that_was_approved_and_one_that_never_was(
    forum: Forum, article: str
) -> None:
    await restrict(forum.services, forum.author.id, SanctionKind.PRE_MODERATION)
    approved = await forum.author.reply(article, "First.")
    refused = await forum.author.reply(article, "Second.")
    assert (approved["state"], refused["state"]) == ("pending", "pending")
    await forum.act("approve", approved["id"])
    await forum.act("remove", refused["id"])
    changes = await list_changes(forum, article)
    assert [len(change.created) for change in changes] == [0, 0, 1, 0]
    assert str(changes[2].created[0]) == approved["id"]
    assert refused["id"] not in str(changes)


async def test_a_shadow_banned_author(forum: Forum, article: str) -> None:
    await restrict(forum.services, forum.author.id, SanctionKind.SHADOW_BAN)
    comment = (await forum.author.reply(article, "First."))["id"]
    expect(await forum.author.edit_anyway(comment, "Second."), 200)
    await forum.author.client.delete(f"/v1/comments/{comment}", headers={"If-Match": "*"})
    assert set(await list_changes(forum, article)) == {PublicChange()}
