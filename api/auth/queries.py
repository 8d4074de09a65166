"""The statement that says who is asking."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import DateTime, LargeBinary

from api.auth.actor import Actor, Restriction
from api.auth.scopes import ALL_SCOPES
from models import RESTRICTING, Credential, ModerationReason, SanctionKind, User
from models.comments import PUBLISHED

_NONE: Mapping[SanctionKind, Restriction] = MappingProxyType({})
_NOTHING: frozenset[str] = frozenset()
# Asked with every request that has credentials: as text, it costs half of what it costs composed.
_users = User.metadata.tables["users"].c
_credentials = Credential.metadata.tables["credentials"].c
# A person's published comments are counted only as far as it matters, along an index of them that
# the order asks for.
# What few people have comes as one text: an array costs a tenth more. Tags have no spaces.
_ACTOR = (
    text(f"""
SELECT u.id, u.handle, u.display_name, u.avatar_url, u.role, u.created_at,
       c.kind AS credential, c.session_id, c.scopes,
       (
           SELECT json_agg(
               json_build_array(s.kind, s.reason, s.message, s.ends_at)
               ORDER BY s.ends_at NULLS LAST, s.id
           )::text
           FROM sanctions s
           WHERE s.user_id = u.id AND s.lifted_at IS NULL AND s.kind NOT IN ('note', 'warning')
             AND (s.ends_at IS NULL OR s.ends_at > :now)
       ) AS restrictions,
       (
           SELECT string_agg(coalesce(m.article_id::text, '#' || m.tag), ' ')
           FROM moderator_assignments m WHERE m.user_id = u.id
       ) AS moderated,
       CASE WHEN w.newcomer_approved_comments > 0 THEN (
           SELECT count(*) FROM (
               SELECT FROM comments c WHERE c.author_id = u.id AND c.{PUBLISHED}
               ORDER BY c.created_at LIMIT w.newcomer_approved_comments
           ) published
       ) >= w.newcomer_approved_comments END AS has_approved_comments
FROM credentials c
JOIN users u ON u.id = c.user_id
LEFT JOIN sessions s ON s.id = c.session_id
LEFT JOIN screening_settings w ON w.is_only_row
WHERE c.token_hash = :token_hash AND c.expires_at > :now
  AND (c.session_id IS NULL OR s.revoked_at IS NULL AND s.expires_at > :now)
""")
    .bindparams(
        bindparam("token_hash", type_=LargeBinary()),
        bindparam("now", type_=DateTime(timezone=True)),
    )
    .columns(
        _users.id,
        _users.handle,
        _users.display_name,
        _users.avatar_url,
        _users.role,
        _users.created_at,
        _credentials.kind.label("credential"),
        _credentials.session_id,
    )
)


async def find_actor(connection: AsyncConnection, token_hash: bytes, now: datetime) -> Actor | None:
    """Return who a token of any kind stands for, None when it is unknown, expired or revoked."""
    values = {"token_hash": token_hash, "now": now}
    row = (await connection.execute(_ACTOR, values)).one_or_none()
    if row is None:
        return None
    found: dict[str, Any] = row._asdict()
    # A scope that this release does not know is of a newer one.
    found["scopes"] = ALL_SCOPES if row.scopes is None else ALL_SCOPES.intersection(row.scopes)
    found["restrictions"] = _parse_restrictions(row.restrictions) if row.restrictions else _NONE
    moderated = found.pop("moderated")
    subjects = moderated.split(" ") if moderated else _NOTHING
    found["moderated_article_ids"] = frozenset(UUID(one) for one in subjects if one[0] != "#")
    found["moderated_tags"] = frozenset(one[1:] for one in subjects if one[0] == "#")
    return Actor(**found)


def _parse_restrictions(encoded: str) -> Mapping[SanctionKind, Restriction]:
    """Return the restrictions of a person by kind; of two of one kind the later in the list."""
    return {
        SanctionKind(kind): Restriction(
            reason=ModerationReason(reason),
            message=message,
            ends_at=datetime.fromisoformat(ends_at) if ends_at else None,
        )
        for kind, reason, message, ends_at in orjson.loads(encoded)
        # A kind that this release does not know is of a newer one.
        if kind in RESTRICTING
    }
