"""What only its author sees: their comments that wait for a moderator, or that a ban hides."""

from collections import defaultdict
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from api.auth.actor import Actor
from api.comments.policy import get_state_for_author
from api.comments.projection import to_comment_fields
from api.comments.schemas import CommentRead
from api.comments.visibility import is_own_pending, is_own_unseen
from models import Comment, CommentMention, SanctionKind, User

MAX_PENDING = 50


async def list_own_pending(
    session: AsyncSession, actor: Actor, article_id: UUID
) -> list[CommentRead]:
    """Return a person's latest pending comments under an article, the newest first.

    With a shadow ban, also those that an edit of theirs hid: they must not notice.
    """
    is_shadow_banned = SanctionKind.SHADOW_BAN in actor.restrictions
    is_own = is_own_unseen(actor.id) if is_shadow_banned else is_own_pending(actor.id)
    statement = (
        select(Comment)
        .where(is_own, col(Comment.article_id) == article_id)
        .order_by(col(Comment.created_at).desc(), col(Comment.id).desc())
        .limit(MAX_PENDING)
    )
    comments = (await session.scalars(statement)).all()
    mentions = await _find_mentions(session, [comment.id for comment in comments])
    return [_to_read(actor, comment, mentions[comment.id]) for comment in comments]


async def _find_mentions(
    session: AsyncSession, comment_ids: list[UUID]
) -> defaultdict[UUID, list[dict[str, Any]]]:
    found: defaultdict[UUID, list[dict[str, Any]]] = defaultdict(list)
    if not comment_ids:
        return found
    statement = (
        select(CommentMention, col(User.handle), col(User.display_name))
        .join(User, col(User.id) == col(CommentMention.user_id))
        .where(col(CommentMention.comment_id).in_(comment_ids))
        .order_by(col(CommentMention.start_offset))
    )
    for mention, handle, display_name in (await session.execute(statement)).all():
        found[mention.comment_id].append(
            {
                "user_id": mention.user_id,
                "handle": handle,
                "display_name": display_name,
                "start": mention.start_offset,
                "end": mention.end_offset,
                "text": mention.text,
            }
        )
    return found


def _to_read(actor: Actor, comment: Comment, mentions: list[dict[str, Any]]) -> CommentRead:
    row = {
        **comment.model_dump(),
        "score": comment.up - comment.down,
        "state": get_state_for_author(actor, comment.state),
        "author": actor.id,
        "handle": actor.handle,
        "display_name": actor.display_name,
        "avatar_url": actor.avatar_url,
        "mentions": mentions,
    }
    return CommentRead.model_validate(to_comment_fields(row))
