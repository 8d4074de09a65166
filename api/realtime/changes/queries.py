"""SQL statements of delta sync."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from api.articles.changes import PublicEvent
from api.articles.visibility import is_public
from api.kit.db.events import Event
from models import Article, OutboxEvent

# What a thread shows of its article.
ARTICLE_FIELDS = (
    *("is_locked", "comment_count", "up", "down", "score", "notice", "pinned_comment_id"),
)


async def find_article(connection: AsyncConnection, article_id: UUID) -> RowMapping | None:
    """Return the version and ARTICLE_FIELDS of a public article."""
    columns = [col(getattr(Article, name)) for name in ("version", *ARTICLE_FIELDS)]
    statement = select(*columns).where(col(Article.id) == article_id, is_public())
    return (await connection.execute(statement)).mappings().one_or_none()


async def list_events(
    connection: AsyncConnection,
    article_id: UUID,
    since: int,
    *,
    types: Mapping[str, type[Event]],
    limit: int,
) -> list[PublicEvent | None]:
    """Return what made the next versions after `since`, in their order.

    None stands for an event of a newer release, which this one does not know.
    """
    statement = (
        select(col(OutboxEvent.type), col(OutboxEvent.payload))
        .where(col(OutboxEvent.article_id) == article_id, col(OutboxEvent.version) > since)
        .order_by(col(OutboxEvent.version))
        .limit(limit)
    )
    return [
        _parse_event(types.get(kind), payload)
        for kind, payload in (await connection.execute(statement)).all()
    ]


def _parse_event(kind: type[Event] | None, payload: dict[str, Any]) -> PublicEvent | None:
    event = kind and kind.from_payload(payload)
    return event if isinstance(event, PublicEvent) else None
