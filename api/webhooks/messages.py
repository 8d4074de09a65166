"""The messages that follow from an event, and what is in them: the public state as it is now."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from api.articles import queries as articles
from api.articles.cached_reads import read_article
from api.articles.changes import PublicEvent
from api.articles.schemas import ArticleSummary
from api.comments import queries as comments
from api.comments.projection import to_comment_fields
from api.comments.schemas import CommentRead
from api.kit.db.ids import make_id
from api.webhooks import schemas
from api.webhooks.schemas import TEST_TYPE
from models import Webhook, WebhookAttempt, WebhookEventType

# The model of each type of message, in the order of the document.
MODELS: Mapping[str, type[BaseModel]] = {
    WebhookEventType.ARTICLE_CREATED: schemas.ArticleCreatedMessage,
    WebhookEventType.ARTICLE_EDITED: schemas.ArticleEditedMessage,
    WebhookEventType.ARTICLE_REMOVED: schemas.ArticleRemovedMessage,
    WebhookEventType.ARTICLE_RESTORED: schemas.ArticleRestoredMessage,
    WebhookEventType.COMMENT_CREATED: schemas.CommentCreatedMessage,
    WebhookEventType.COMMENT_EDITED: schemas.CommentEditedMessage,
    WebhookEventType.COMMENT_REMOVED: schemas.CommentRemovedMessage,
    WebhookEventType.COMMENT_RESTORED: schemas.CommentRestoredMessage,
    TEST_TYPE: schemas.WebhookTestMessage,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What happened to an article or to comments under it: ids. The rest is read when it is sent.

    `id` is the same in all attempts, for all webhooks. A test is about nothing.
    """

    id: str
    type: str
    occurred_at: datetime
    article_id: UUID | None = None
    version: int | None = None
    comment_ids: tuple[UUID, ...] = ()


def find_changes(event: PublicEvent) -> dict[WebhookEventType, tuple[UUID, ...]]:
    """Return what everybody sees of an event: the types of messages, each with its comments.

    Mostly one. What only changes scores, names or the version, or is an import, makes none.
    """
    change = event.get_public_change()
    of_comments = {
        WebhookEventType.COMMENT_CREATED: change.created,
        WebhookEventType.COMMENT_EDITED: change.edited,
        WebhookEventType.COMMENT_RESTORED: change.restored,
        WebhookEventType.COMMENT_REMOVED: change.removed,
    }
    found = {kind: ids for kind, ids in of_comments.items() if ids}
    if change.article is not None:
        found[WebhookEventType(f"article.{change.article}")] = ()
    return found


def list_messages(event: PublicEvent, occurred_at: datetime) -> list[Message]:
    """Return the messages of an event, one for each type."""
    changes = find_changes(event)
    base = f"evt_{event.article_id}_{event.version}"
    return [
        Message(
            id=base if len(changes) == 1 else f"{base}_{kind.value.partition('.')[2]}",
            type=kind.value,
            occurred_at=occurred_at,
            article_id=event.article_id,
            version=event.version,
            comment_ids=ids,
        )
        for kind, ids in changes.items()
    ]


def make_test(now: datetime) -> Message:
    """Return a message that tests a webhook."""
    return Message(id=f"test_{make_id()}", type=TEST_TYPE, occurred_at=now)


def to_message(attempt: WebhookAttempt) -> Message:
    """Return the message that an attempt was made at."""
    return Message(
        id=attempt.message_id,
        type=attempt.type,
        occurred_at=attempt.occurred_at,
        article_id=attempt.article_id,
        version=attempt.version,
        comment_ids=tuple(attempt.comment_ids),
    )


async def render_message(session: AsyncSession, webhook: Webhook, message: Message) -> bytes | None:
    """Return the body of a message, None where nothing of what it shows is public any more."""
    if message.type == TEST_TYPE:
        data: dict[str, Any] | None = {"webhook_id": webhook.id}
    else:
        data = await _find_data(session, message)
    if data is None:
        return None
    content = {"type": message.type, "timestamp": message.occurred_at, "data": data}
    return MODELS[message.type].model_validate(content).model_dump_json().encode()


async def _find_data(session: AsyncSession, message: Message) -> dict[str, Any] | None:
    data: dict[str, Any] = {"article_id": message.article_id, "version": message.version}
    if message.comment_ids:
        data["comment_ids"] = message.comment_ids
    if message.type in (WebhookEventType.ARTICLE_REMOVED, WebhookEventType.COMMENT_REMOVED):
        return data
    row = message.article_id and await articles.find_article(session, message.article_id)
    if not row:
        return None
    article = read_article(row)
    if not message.comment_ids:
        return {**data, "article": article}
    rows = await comments.list_visible(session, message.comment_ids)
    if not rows:
        return None
    summary = article.model_dump(include=set(ArticleSummary.model_fields))
    return {
        **data,
        "article": ArticleSummary.model_validate(summary),
        "comments": [CommentRead.model_validate(to_comment_fields(one)) for one in rows],
    }
