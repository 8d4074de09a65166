"""The statement that says who is asking."""

from datetime import datetime

from sqlalchemy import bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import DateTime, LargeBinary

from api.auth.actor import Actor
from api.auth.scopes import ALL_SCOPES
from models import Credential, RestrictionKind, User

_KINDS = frozenset(RestrictionKind)
_NONE: frozenset[RestrictionKind] = frozenset()
# Asked with every request that has credentials: as text, it costs half of what it costs composed.
_users = User.metadata.tables["users"].c
_credentials = Credential.metadata.tables["credentials"].c
# Restrictions, which few people have, come as one text: an array costs a tenth more.
_ACTOR = (
    text("""
SELECT u.id, u.handle, u.display_name, u.avatar_url, u.role, u.created_at,
       c.kind AS credential, c.session_id, c.scopes,
       (
           SELECT string_agg(r.kind, ' ') FROM user_restrictions r
           WHERE r.user_id = u.id AND (r.ends_at IS NULL OR r.ends_at > :now)
       ) AS restrictions
FROM credentials c
JOIN users u ON u.id = c.user_id
LEFT JOIN sessions s ON s.id = c.session_id
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
    # A scope or a restriction that this release does not know is of a newer one.
    scopes = ALL_SCOPES if row.scopes is None else ALL_SCOPES.intersection(row.scopes)
    restrictions = _KINDS.intersection(row.restrictions.split()) if row.restrictions else _NONE
    return Actor(**{**row._asdict(), "scopes": scopes, "restrictions": restrictions})
