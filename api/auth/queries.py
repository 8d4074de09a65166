"""The statement that tells who is asking."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from api.auth.actor import Actor
from models import User

# Asked with every request of somebody logged in: as text, it costs half of what it costs composed.
_users = User.metadata.tables["users"].c
_ACTOR = text("""
SELECT u.id, u.handle, u.display_name, u.avatar_url, u.role, u.created_at
FROM users u JOIN sessions s ON s.user_id = u.id
WHERE s.id = :session_id AND u.id = :user_id AND s.revoked_at IS NULL AND s.expires_at > :now
""").columns(
    _users.id,
    _users.handle,
    _users.display_name,
    _users.avatar_url,
    _users.role,
    _users.created_at,
)


async def find_actor(
    connection: AsyncConnection, session_id: UUID, user_id: UUID, now: datetime
) -> Actor | None:
    """Return the person, while the login lasts."""
    values = {"session_id": session_id, "user_id": user_id, "now": now}
    row = (await connection.execute(_ACTOR, values)).one_or_none()
    return None if row is None else Actor(session_id=session_id, **row._asdict())
