"""Every statement of realtime."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, LargeBinary, Text, Uuid, bindparam, delete, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlmodel import col

from api.articles.visibility import PUBLIC_A
from api.kit.db.predicates import to_sql
from api.notifications.inbox.queries import is_shown
from models import Credential, LoginSession, StreamTicket

# Of articles, each with a position, what they are now and their events after the position. One
# statement, so of each article all is of one snapshot.
_CHANGES = (
    text(f"""
SELECT t.id, coalesce(a.version, 0) AS newest, a.id IS NOT NULL AND ({PUBLIC_A}) AS is_public,
       e.version, e.type, e.payload
FROM unnest(:ids, :positions) AS t(id, position)
LEFT JOIN articles a ON a.id = t.id
LEFT JOIN LATERAL (
    SELECT version, type, payload
    FROM events
    WHERE article_id = t.id AND version > t.position AND t.position < a.version
    ORDER BY version
    LIMIT :limit
) e ON true
ORDER BY t.id, e.version
""")
    .bindparams(
        bindparam("ids", type_=ARRAY(Uuid())),
        bindparam("positions", type_=ARRAY(BigInteger())),
        bindparam("limit", type_=BigInteger()),
    )
    .columns(id=Uuid(), payload=JSONB(), type=Text())
)

# Of inboxes, each with a number, the notifications after it that their owners can see.
_NOTIFICATIONS = (
    text(f"""
SELECT t.id AS user_id, coalesce(i.last_number, 0) AS newest,
       n.number, n.id, n.kind, n.article_id, n.comment_id
FROM unnest(:ids, :positions) AS t(id, position)
LEFT JOIN inboxes i ON i.user_id = t.id
LEFT JOIN LATERAL (
    SELECT notifications.*
    FROM notifications
    LEFT JOIN articles ON articles.id = notifications.article_id
    LEFT JOIN comments ON comments.id = notifications.comment_id
    WHERE notifications.user_id = t.id AND number > t.position AND t.position < i.last_number
      AND ({to_sql(is_shown())})
    ORDER BY number
    LIMIT :limit
) n ON true
ORDER BY t.id, n.number
""")
    .bindparams(
        bindparam("ids", type_=ARRAY(Uuid())),
        bindparam("positions", type_=ARRAY(BigInteger())),
        bindparam("limit", type_=BigInteger()),
    )
    .columns(user_id=Uuid(), id=Uuid(), article_id=Uuid(), comment_id=Uuid())
)


@dataclass(frozen=True, slots=True)
class ArticleState:
    """An article as it is now, and events of it: version, type and payload, in their order."""

    version: int
    is_public: bool
    events: list[tuple[int, str, dict[str, Any]]]


async def read_changes(
    connection: AsyncConnection, positions: Mapping[UUID, int | None], *, limit: int
) -> dict[UUID, ArticleState]:
    """Return articles with at most `limit` of their events after a position, of each the oldest.

    Where the position is None, there are none. An article that does not exist is not public.
    """
    values = {
        "ids": list(positions),
        "positions": list(positions.values()),
        "limit": limit,
    }
    found: dict[UUID, ArticleState] = {}
    for row in await connection.execute(_CHANGES, values):
        state = found.setdefault(row.id, ArticleState(row.newest, row.is_public, []))
        if row.version is not None:
            state.events.append((row.version, row.type, row.payload))
    return found


@dataclass(frozen=True, slots=True)
class InboxState:
    """An inbox as it is now, and what is told of notifications in it, in their order."""

    user_id: UUID
    last_number: int
    rows: list[dict[str, Any]]


async def read_inboxes(
    connection: AsyncConnection, positions: Mapping[UUID, int | None], *, limit: int
) -> dict[UUID, InboxState]:
    """Return inboxes with at most `limit` of their notifications after a number, the oldest.

    Where the number is None, there are none.
    """
    values = {
        "ids": list(positions),
        "positions": list(positions.values()),
        "limit": limit,
    }
    found: dict[UUID, InboxState] = {}
    for row in (await connection.execute(_NOTIFICATIONS, values)).mappings():
        user_id = row["user_id"]
        state = found.setdefault(user_id, InboxState(user_id, row["newest"], []))
        if row["number"] is not None:
            names = ("number", "id", "kind", "article_id", "comment_id")
            state.rows.append({name: row[name] for name in names})
    return found


async def take_ticket(session: AsyncSession, ticket_hash: bytes, now: datetime) -> bytes | None:
    """Delete a ticket; return the hash of the token that it stands for, unless it has expired."""
    statement = (
        delete(StreamTicket)
        .where(col(StreamTicket.ticket_hash) == ticket_hash, col(StreamTicket.expires_at) > now)
        .returning(col(StreamTicket.token_hash))
    )
    return (await session.scalars(statement)).one_or_none()


async def purge_tickets(session: AsyncSession, *, before: datetime, limit: int) -> int:
    """Delete at most `limit` tickets that expired before a moment; return how many."""
    expired = (
        select(col(StreamTicket.ticket_hash))
        .where(col(StreamTicket.expires_at) < before)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte()
    )
    statement = delete(StreamTicket).where(col(StreamTicket.ticket_hash) == expired.c.ticket_hash)
    result = await session.execute(
        statement.returning(col(StreamTicket.ticket_hash)).execution_options(
            synchronize_session=False
        )
    )
    return len(result.all())


async def find_active_sessions(
    connection: AsyncConnection, session_ids: Collection[UUID], now: datetime
) -> set[UUID]:
    """Return which of these sessions have not ended."""
    statement = select(col(LoginSession.id)).where(
        col(LoginSession.id) == bindparam("ids", type_=ARRAY(Uuid())).any_(),
        col(LoginSession.revoked_at).is_(None),
        col(LoginSession.expires_at) > now,
    )
    return set(await connection.scalars(statement, {"ids": list(session_ids)}))


async def find_active_tokens(
    connection: AsyncConnection, token_hashes: Collection[bytes], now: datetime
) -> set[bytes]:
    """Return which of these tokens are neither revoked nor expired."""
    statement = select(col(Credential.token_hash)).where(
        col(Credential.token_hash) == bindparam("hashes", type_=ARRAY(LargeBinary())).any_(),
        col(Credential.expires_at) > now,
    )
    return set(await connection.scalars(statement, {"hashes": list(token_hashes)}))
