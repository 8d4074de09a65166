"""Every statement of accounts."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from models import LoginSession, User


async def find_user_by_login(session: AsyncSession, login: str) -> User | None:
    """Return the person with this current handle or e-mail address, both in lower case."""
    by = col(User.email_key) if "@" in login else col(User.handle)
    return (await session.scalars(select(User).where(by == login))).one_or_none()


async def hold_password(session: AsyncSession, user_id: UUID, encoded: str) -> bool:
    """Tell whether this is still the person's hash; it stays so until the transaction ends."""
    statement = (
        select(col(User.id))
        .where(col(User.id) == user_id, col(User.password_hash) == encoded)
        .with_for_update(read=True)
    )
    return (await session.scalars(statement)).one_or_none() is not None


async def lock_session(
    session: AsyncSession, session_id: UUID, now: datetime
) -> LoginSession | None:
    """Return a lasting login, which nobody else changes until the transaction ends."""
    statement = (
        select(LoginSession)
        .where(
            col(LoginSession.id) == session_id,
            col(LoginSession.revoked_at).is_(None),
            col(LoginSession.expires_at) > now,
        )
        .with_for_update()
    )
    return (await session.scalars(statement)).one_or_none()


async def list_sessions(
    session: AsyncSession, user_id: UUID, now: datetime, *, limit: int
) -> list[LoginSession]:
    """Return the person's lasting logins, the newest first."""
    statement = (
        select(LoginSession)
        .where(
            col(LoginSession.user_id) == user_id,
            col(LoginSession.revoked_at).is_(None),
            col(LoginSession.expires_at) > now,
        )
        .order_by(col(LoginSession.created_at).desc(), col(LoginSession.id).desc())
        .limit(limit)
    )
    return list(await session.scalars(statement))


async def revoke_session(
    session: AsyncSession, session_id: UUID, user_id: UUID, now: datetime
) -> bool:
    """End a login; tell whether there was one to end."""
    statement = (
        update(LoginSession)
        .where(
            col(LoginSession.id) == session_id,
            col(LoginSession.user_id) == user_id,
            col(LoginSession.revoked_at).is_(None),
        )
        .values(revoked_at=now)
        .returning(col(LoginSession.id))
    )
    return (await session.execute(statement)).one_or_none() is not None


async def revoke_other_sessions(
    session: AsyncSession, user_id: UUID, kept: UUID, now: datetime
) -> None:
    """End every login of the person but one."""
    await session.execute(
        update(LoginSession)
        .where(
            col(LoginSession.user_id) == user_id,
            col(LoginSession.id) != kept,
            col(LoginSession.revoked_at).is_(None),
        )
        .values(revoked_at=now)
    )


async def purge_sessions(session: AsyncSession, before: datetime) -> None:
    """Forget logins that ran out before a moment."""
    await session.execute(delete(LoginSession).where(col(LoginSession.expires_at) < before))
