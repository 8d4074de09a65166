"""Every statement of users."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from api.users.handles import MAX_HANDLE, handle_skeleton
from models import Handle, User


async def get_user(session: AsyncSession, user_id: UUID) -> User:
    """Return a person who is known to be there."""
    return await session.get_one(User, user_id)


async def find_user(session: AsyncSession, ref: str) -> User | None:
    """Return the person with this id, or who has or had this handle; a handle is no UUID."""
    try:
        user_id = UUID(ref)
    except ValueError:
        return await find_user_by_handle(session, ref.lower())
    return await session.get(User, user_id)


async def find_user_by_handle(session: AsyncSession, handle: str) -> User | None:
    """Return the person who has or had this handle."""
    statement = (
        select(User)
        .join(Handle, col(Handle.user_id) == col(User.id))
        .where(col(Handle.handle) == handle)
    )
    return (await session.scalars(statement)).one_or_none()


async def lock_user(session: AsyncSession, user_id: UUID) -> User:
    """Return a person whose row nobody else changes until the transaction ends."""
    # As an UPDATE locks: references to the person, which notifications make, don't wait.
    statement = select(User).where(col(User.id) == user_id).with_for_update(key_share=True)
    return (await session.scalars(statement)).one()


async def owns_handle(session: AsyncSession, handle: str, user_id: UUID) -> bool:
    """Tell whether the person has or had this handle."""
    statement = select(exists().where(col(Handle.handle) == handle, col(Handle.user_id) == user_id))
    return bool(await session.scalar(statement))


async def owns_skeleton(session: AsyncSession, skeleton: str, user_id: UUID) -> bool:
    """Tell whether the person has or had the handle that this skeleton belongs to."""
    statement = select(
        exists().where(col(Handle.skeleton) == skeleton, col(Handle.user_id) == user_id)
    )
    return bool(await session.scalar(statement))


async def find_imported_author(session: AsyncSession, key: str) -> User | None:
    """Return the person who came with an import under this name: nobody can log in as them."""
    statement = (
        select(User)
        .where(
            col(User.name_key) == key,
            col(User.password_hash).is_(None),
            col(User.email).is_(None),
        )
        .order_by(col(User.created_at), col(User.id))
        .limit(1)
    )
    return (await session.scalars(statement)).one_or_none()


async def owns_handle_like(session: AsyncSession, stem: str, user_id: UUID) -> bool:
    """Tell whether a handle of the person is the stem or the stem with a number."""
    pattern = f"^{stem}(-[0-9]{{1,4}})?$"
    statement = select(
        exists().where(col(Handle.user_id) == user_id, col(Handle.handle).regexp_match(pattern))
    )
    return bool(await session.scalar(statement))


async def find_handles_like(session: AsyncSession, stem: str) -> set[str]:
    """Return the handles, and their skeletons, that a number behind the stem could run into."""
    # A number may cost the stem its last five characters.
    start = handle_skeleton(stem[: MAX_HANDLE - 5])
    statement = select(col(Handle.handle), col(Handle.skeleton)).where(
        col(Handle.skeleton).startswith(start, autoescape=True)
    )
    return {name for row in (await session.execute(statement)).all() for name in row}


async def add_user(session: AsyncSession, user: User) -> User:
    """Store a new person, without `email_key` when another account logs in with that address."""
    statement = (
        insert(User).on_conflict_do_nothing(index_elements=[col(User.email_key)]).returning(User)
    )
    values = user.model_dump()
    added = (await session.scalars(statement, [values])).one_or_none()
    if added is None:
        added = (await session.scalars(statement, [values | {"email_key": None}])).one()
    return added


def add_handle(
    session: AsyncSession, *, handle: str, skeleton: str, user_id: UUID, now: datetime
) -> None:
    """Give a person a handle, permanently."""
    session.add(Handle(handle=handle, skeleton=skeleton, user_id=user_id, created_at=now))
