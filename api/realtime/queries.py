"""Every statement of realtime."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, LargeBinary, Text, Uuid, bindparam, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from api.articles.visibility import PUBLIC_A
from models import Credential, LoginSession

# Of articles, each with a position, what they are now and their events after the position. One
# statement, so of each article all is of one snapshot.
_CHANGES = (
    text(f"""
SELECT t.id, coalesce(a.version, 0) AS newest, a.id IS NOT NULL AND {PUBLIC_A} AS is_public,
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
