"""Every statement of accounts."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, exists, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from models import Credential, CredentialKind, LoginSession, User


async def find_user_by_login(
    session: AsyncSession, login: str, address_hash: bytes
) -> tuple[User | None, bool]:
    """Return the person with this current handle or e-mail address, both in lower case.

    And whether they have logged in from this address before.
    """
    by = col(User.email_key) if "@" in login else col(User.handle)
    from_here = exists().where(
        col(LoginSession.user_id) == col(User.id), col(LoginSession.address_hash) == address_hash
    )
    row = (await session.execute(select(User, from_here).where(by == login))).one_or_none()
    return (None, False) if row is None else (row[0], row[1])


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
    """Return an active session, locked until the transaction ends."""
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
    """Return the person's active sessions, the newest first."""
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
    """End a session; tell whether there was one to end."""
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
    session: AsyncSession, user_id: UUID, kept: UUID | None, now: datetime
) -> None:
    """End every session of the person, except the one to keep."""
    await session.execute(
        update(LoginSession)
        .where(
            col(LoginSession.user_id) == user_id,
            col(LoginSession.id).is_distinct_from(kept),
            col(LoginSession.revoked_at).is_(None),
        )
        .values(revoked_at=now)
    )


async def delete_credentials(session: AsyncSession, user_id: UUID) -> None:
    """Delete every token of the person, of whatever kind."""
    await session.execute(
        delete(Credential)
        .where(col(Credential.user_id) == user_id)
        .execution_options(synchronize_session=False)
    )


async def add_access_token(
    session: AsyncSession, login_session: LoginSession, token_hash: bytes, expires_at: datetime
) -> None:
    """Store the access token of a session, and forget the ones of it that have expired.

    Until then the token before this one stays good: requests may be under way with it.
    """
    now = login_session.rotated_at
    await session.execute(
        delete(Credential)
        .where(col(Credential.session_id) == login_session.id, col(Credential.expires_at) <= now)
        .execution_options(synchronize_session=False)
    )
    await session.execute(
        insert(Credential),
        [
            {
                "token_hash": token_hash,
                "user_id": login_session.user_id,
                "kind": CredentialKind.SESSION,
                "session_id": login_session.id,
                "created_at": now,
                "expires_at": expires_at,
            }
        ],
    )


async def purge_credentials(session: AsyncSession, *, before: datetime, limit: int) -> int:
    """Delete at most `limit` tokens that expired before a moment; return how many."""
    expired = (
        select(col(Credential.token_hash))
        .where(col(Credential.expires_at) < before)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte()
    )
    statement = delete(Credential).where(col(Credential.token_hash) == expired.c.token_hash)
    result = await session.execute(
        statement.returning(col(Credential.user_id)).execution_options(synchronize_session=False)
    )
    return len(result.all())


async def purge_sessions(session: AsyncSession, *, before: datetime, limit: int) -> int:
    """Delete at most `limit` sessions that expired before a moment; return how many."""
    expired = (
        select(col(LoginSession.id))
        .where(col(LoginSession.expires_at) < before)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte()
    )
    statement = delete(LoginSession).where(col(LoginSession.id) == expired.c.id)
    result = await session.execute(
        statement.returning(col(LoginSession.id)).execution_options(synchronize_session=False)
    )
    return len(result.all())
