"""What only its author sees: their comments that wait for a moderator, or that a ban withholds.

An author with a shadow ban gets from each operation what anybody gets of a comment of their own, as
far as the response is theirs alone. Trees and flat lists are the same for everybody; the viewer of
an article has what belongs into them.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from api.articles import queries as articles
from api.articles.queries import ArticleRow
from api.articles.visibility import is_public
from api.auth.actor import Actor
from api.comments import queries
from api.comments.errors import CommentNotFound
from api.comments.policy import get_state_for, is_shadow_banned
from api.comments.projection import to_comment_fields
from api.comments.schemas import (
    ArticleLink,
    CommentContext,
    CommentNode,
    CommentRead,
    CommentSort,
    CommentTree,
    Replies,
    TreePage,
)
from api.comments.visibility import is_own_pending, is_own_unseen
from models import Article, Comment, CommentMention, User

MAX_PENDING = 50


@dataclass(frozen=True, slots=True)
class OwnComment:
    """A comment as its author sees it, where it stands, and its revision."""

    read: CommentRead
    ancestor_ids: Sequence[UUID]
    revision: int


async def list_own_pending(
    session: AsyncSession, actor: Actor, article_id: UUID
) -> list[CommentRead]:
    """Return a person's latest pending comments under an article, the newest first.

    With a shadow ban, also what it withholds: they must not notice.
    """
    found = await _list_own(session, actor, col(Comment.article_id) == article_id)
    return [own.read for own in found]


async def find_own_comment(
    session: AsyncSession, actor: Actor, comment_id: UUID
) -> OwnComment | None:
    """Return a comment that the actor sees and the public does not."""
    found = await _list_own(session, actor, col(Comment.id) == comment_id)
    return found[0] if found else None


async def get_own_tree(
    session: AsyncSession, actor: Actor, comment_id: UUID, sort: CommentSort, *, epoch: str
) -> CommentTree:
    """Return the tree under such a comment, which is empty. Raises CommentNotFound."""
    own, row = await _get_with_article(session, actor, comment_id)
    return CommentTree(
        article_id=own.read.article_id,
        epoch=epoch,
        version=row.article.version,
        sort=sort,
        notice=row.article.notice,
        pinned_comment_id=row.article.pinned_comment_id,
        data=[],
        page=TreePage(next_cursor=None, has_more=False, remaining=0),
    )


async def get_own_context(
    session: AsyncSession,
    actor: Actor,
    comment_id: UUID,
    sort: CommentSort,
    *,
    ancestors: int,
    make_etag: Callable[[str, int], str],
) -> CommentContext:
    """Return such a comment with its ancestors, which may be such comments too.

    Raises CommentNotFound.
    """
    own, row = await _get_with_article(session, actor, comment_id)
    article = row.article
    line = own.ancestor_ids[-ancestors:] if ancestors else ()
    return CommentContext(
        article_id=article.id,
        article=ArticleLink(id=article.id, slug=article.slug, title=article.title),
        version=article.version,
        sort=sort,
        ancestors=await _list_line(session, actor, line),
        comment=CommentNode(
            **own.read.model_dump(),
            etag=make_etag(str(comment_id), own.revision),
            replies=Replies(data=[], next_cursor=None, remaining=0),
        ),
    )


async def _get_with_article(
    session: AsyncSession, actor: Actor, comment_id: UUID
) -> tuple[OwnComment, ArticleRow]:
    own = await find_own_comment(session, actor, comment_id)
    row = await articles.find_article(session, own.read.article_id) if own else None
    if own is None or row is None:
        raise CommentNotFound
    return own, row


async def _list_line(session: AsyncSession, actor: Actor, ids: Sequence[UUID]) -> list[CommentRead]:
    """Return ancestors, in this order, as the actor sees them."""
    if not ids:
        return []
    shown = await queries.list_shown(session, ids)
    seen = {row["id"]: CommentRead.model_validate(to_comment_fields(row)) for row in shown}
    found = await _list_own(session, actor, col(Comment.id).in_(ids))
    seen |= {own.read.id: own.read for own in found}
    return [seen[one] for one in ids if one in seen]


async def _list_own(
    session: AsyncSession, actor: Actor, where: ColumnElement[bool]
) -> list[OwnComment]:
    """Return the actor's latest comments that the public does not see, the newest first."""
    is_own = is_own_unseen(actor.id) if is_shadow_banned(actor) else is_own_pending(actor.id)
    statement = (
        select(Comment)
        .join(Article, col(Article.id) == col(Comment.article_id))
        .where(is_own, where, is_public())
        .order_by(col(Comment.created_at).desc(), col(Comment.id).desc())
        .limit(MAX_PENDING)
    )
    comments = (await session.scalars(statement)).all()
    mentions = await _find_mentions(session, [comment.id for comment in comments])
    return [
        OwnComment(
            read=_to_read(actor, comment, mentions[comment.id]),
            ancestor_ids=comment.ancestor_ids,
            revision=comment.revision,
        )
        for comment in comments
    ]


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
        "state": get_state_for(actor, comment),
        "author": actor.id,
        "handle": actor.handle,
        "display_name": actor.display_name,
        "avatar_url": actor.avatar_url,
        "mentions": mentions,
    }
    return CommentRead.model_validate(to_comment_fields(row))
