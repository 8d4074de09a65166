"""Every statement of users."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import case, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from api.kit.names import MAX_HANDLE, handle_skeleton
from models import Comment, CommentState, Handle, User


async def find_user(session: AsyncSession, user_id: UUID) -> User | None:
    """Return a person by id."""
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
    statement = select(User).where(col(User.id) == user_id).with_for_update()
    return (await session.scalars(statement)).one()


async def owns_handle(session: AsyncSession, handle: str, user_id: UUID) -> bool:
    """Tell whether the person has or had this handle."""
    statement = select(exists().where(col(Handle.handle) == handle, col(Handle.user_id) == user_id))
    return bool(await session.scalar(statement))


async def has_email(session: AsyncSession, email_key: str) -> bool:
    """Tell whether somebody logs in with this address."""
    return bool(await session.scalar(select(exists().where(col(User.email_key) == email_key))))


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


async def complete(
    session: AsyncSession, prefix: str, *, article_id: UUID | None, limit: int
) -> list[User]:
    """Return people whose handle or display name begins so, those of the article's thread first."""
    pattern = prefix.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    in_thread = exists().where(
        col(Comment.article_id) == article_id,
        col(Comment.author_id) == col(User.id),
        col(Comment.state) == CommentState.VISIBLE,
    )
    statement = (
        select(User)
        .where(or_(col(User.handle).like(pattern), col(User.name_key).like(pattern)))
        .order_by(case((in_thread, 0), else_=1), col(User.handle))
        .limit(limit)
    )
    return list(await session.scalars(statement))


def add_handle(
    session: AsyncSession, *, handle: str, skeleton: str, user_id: UUID, now: datetime
) -> None:
    """Give a person a handle, for ever."""
    session.add(Handle(handle=handle, skeleton=skeleton, user_id=user_id, created_at=now))
