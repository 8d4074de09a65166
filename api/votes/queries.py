"""SQL statements of votes."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Uuid, any_, delete, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from models import ArticleVote, CommentVote, ScoreChange


async def find_vote(
    session: AsyncSession, kind: type[ArticleVote] | type[CommentVote], **key: UUID
) -> int:
    """Return the value of the vote with this primary key; 0 when there is none."""
    return await session.scalar(select(col(kind.value)).filter_by(**key)) or 0


async def put_vote(session: AsyncSession, vote: ArticleVote | CommentVote) -> None:
    """Store a vote, which replaces the one before; 0 deletes it."""
    kind = type(vote)
    if vote.value == 0:
        await session.execute(delete(kind).filter_by(**key_of(vote)))
        return
    statement = insert(kind).values(vote.model_dump())
    await session.execute(
        statement.on_conflict_do_update(
            constraint=f"pk_{kind.__tablename__}",
            set_={"value": vote.value, "voted_at": vote.voted_at},
        )
    )


def key_of(vote: ArticleVote | CommentVote) -> dict[str, UUID]:
    """Return the primary key of a vote."""
    return vote.model_dump(exclude={"value", "voted_at"})


async def mark_changed(session: AsyncSession, target_id: UUID, article_id: UUID) -> None:
    """Mark the target's score as changed but not published."""
    statement = insert(ScoreChange).values(target_id=target_id, article_id=article_id)
    await session.execute(statement.on_conflict_do_nothing())


async def find_changed_articles(session: AsyncSession, *, limit: int) -> list[UUID]:
    """Return articles with changed scores that are not published."""
    article_id = col(ScoreChange.article_id)
    return list(await session.scalars(select(article_id).distinct().limit(limit)))


async def claim_changes(session: AsyncSession, article_id: UUID) -> bool:
    """Claim an article's changes until the transaction ends; return False when another has them.

    Not by SKIP LOCKED on the article's row: in a busy thread there is always a writer who holds it,
    and its scores would never be published.
    """
    key = func.hashtextextended(f"scores {article_id}", 0)
    return bool(await session.scalar(select(func.pg_try_advisory_xact_lock(key))))


async def find_changes(session: AsyncSession, article_id: UUID) -> list[UUID]:
    """Return the ids of articles and comments of a thread whose score changed."""
    statement = (
        select(col(ScoreChange.target_id))
        .where(col(ScoreChange.article_id) == article_id)
        .order_by(col(ScoreChange.target_id))
    )
    return list(await session.scalars(statement))


async def delete_changes(session: AsyncSession, target_ids: list[UUID]) -> None:
    """Delete changes that are published."""
    await session.execute(delete(ScoreChange).where(col(ScoreChange.target_id).in_(target_ids)))


async def find_comment_votes(
    session: AsyncSession,
    user_id: UUID,
    article_id: UUID,
    *,
    comment_ids: Collection[UUID] | None,
    limit: int,
) -> list[tuple[UUID, int]]:
    """Return a person's votes in a thread, or on some comments of it, the latest first."""
    statement = (
        select(col(CommentVote.comment_id), col(CommentVote.value))
        .where(col(CommentVote.user_id) == user_id, col(CommentVote.article_id) == article_id)
        .order_by(col(CommentVote.voted_at).desc(), col(CommentVote.comment_id))
        .limit(limit)
    )
    if comment_ids is not None:
        ids = literal(list(comment_ids), ARRAY(Uuid()))
        statement = statement.where(col(CommentVote.comment_id) == any_(ids))
    return [(row.comment_id, row.value) for row in (await session.execute(statement)).all()]
