"""The states of a comment, and the one function that changes them.

    pending -> visible | removed | deleted
    visible -> hidden | removed | deleted
    hidden  -> visible | removed | deleted
    removed -> visible | hidden
    deleted (final)

Beside what a decision asks for, a pending comment becomes hidden when a comment below it is shown:
only so it can stand there as a placeholder. (Authors with a shadow ban reply to what nobody sees.)

A comment is listed, that is, stands in the public tree, while it is visible or has listed replies
under it; without being visible it is a placeholder there. So a change of one state can take a whole
line of placeholders out of the tree, and the opposite change brings exactly these back.

Nothing else writes `state`, `listed` or the counters that follow from them, except the insertion of
a new comment (`queries.insert_comment`), which has no replies yet.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from uuid import UUID

from sqlalchemy import and_, any_, case, func, literal, or_, select, union, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import Boolean, Integer, Text, Uuid
from sqlmodel import col

from api.articles import queries as articles
from api.articles.errors import ArticleNotFound
from api.comments.errors import CommentGone, CommentNotFound
from api.comments.events import (
    CommentDeleted,
    CommentsHidden,
    CommentsRemoved,
    CommentsShown,
)
from api.comments.visibility import is_visible
from api.kit.db.unit_of_work import UnitOfWork
from models import Comment, CommentState

TRANSITIONS: Mapping[CommentState, frozenset[CommentState]] = {
    # Not to hidden: nothing has been shown yet that could be hidden.
    CommentState.PENDING: frozenset(
        {CommentState.VISIBLE, CommentState.REMOVED, CommentState.DELETED}
    ),
    CommentState.VISIBLE: frozenset(
        {CommentState.HIDDEN, CommentState.REMOVED, CommentState.DELETED}
    ),
    CommentState.HIDDEN: frozenset(
        {CommentState.VISIBLE, CommentState.REMOVED, CommentState.DELETED}
    ),
    # Not to deleted: the author cannot end a moderator's decision, or an appeal against it.
    # To hidden when the removal of what nobody had approved is undone: it waits for review again.
    CommentState.REMOVED: frozenset({CommentState.VISIBLE, CommentState.HIDDEN}),
    # Final: what an author deleted stays deleted, for moderators too.
    CommentState.DELETED: frozenset(),
}

_EVENTS_OF_LEAVING: Mapping[
    CommentState, type[CommentsHidden] | type[CommentsRemoved] | type[CommentDeleted]
] = {
    CommentState.HIDDEN: CommentsHidden,
    CommentState.REMOVED: CommentsRemoved,
    CommentState.DELETED: CommentDeleted,
}


@dataclass(frozen=True, slots=True)
class LockedComment:
    """What a change of state needs to know of a comment, as it was when its thread was locked."""

    id: UUID
    parent_id: UUID | None
    depth: int
    author_id: UUID | None
    state: CommentState
    listed: bool
    is_announced: bool
    is_shadowed: bool
    reply_count: int
    revision: int


@dataclass(frozen=True, slots=True)
class LockedThread:
    """Comments of one article and all their ancestors; nobody else changes their states."""

    article_id: UUID
    # The comments that were asked for.
    comments: Mapping[UUID, LockedComment]
    # Those, and every ancestor of one of them.
    lines: Collection[LockedComment]
    pinned_comment_id: UUID | None


@dataclass(slots=True)
class _Step:
    """What becomes of a comment: its state, whether it is listed, what its counters grow by."""

    before: LockedComment
    state: CommentState
    listed: bool
    replies: int = 0
    descendants: int = 0

    @property
    def looks_different(self) -> bool:
        return self.state is not self.before.state or self.listed != self.before.listed

    @property
    def changes_row(self) -> bool:
        return self.looks_different or self.replies != 0 or self.descendants != 0


async def lock_comments(
    uow: UnitOfWork, article_id: UUID, comment_ids: Collection[UUID]
) -> LockedThread:
    """Lock the article and return comments under it, in whatever state, with their ancestors.

    Two statements, however many comments. Raises ArticleNotFound when the article is not public,
    and CommentNotFound when one of the comments is not under it.
    """
    article = await articles.lock_thread(uow.session, article_id)
    if article is None:
        raise ArticleNotFound
    lines = await _list_lines(uow.session, article_id, comment_ids)
    by_id = {comment.id: comment for comment in lines}
    if not by_id.keys() >= set(comment_ids):
        raise CommentNotFound
    asked_for = {one: by_id[one] for one in comment_ids}
    return LockedThread(article_id, asked_for, lines, article.pinned_comment_id)


def require_allowed(thread: LockedThread, after: CommentState) -> None:
    """Raise CommentGone unless all comments of a locked thread can get into a state."""
    if any(after not in TRANSITIONS[comment.state] for comment in thread.comments.values()):
        raise CommentGone


async def change_states(
    uow: UnitOfWork, thread: LockedThread, after: CommentState, *, is_shadowed: bool = False
) -> int:
    """Give all comments of a locked thread another state; return the version that this makes.

    `is_shadowed` says that a shadow ban hides them, which their author must not notice.

    One version, one event, two statements, however many comments; a third when the pinned comment
    is no longer shown, which is then no longer pinned. Raises CommentGone when one of them cannot
    get into this state.
    """
    require_allowed(thread, after)
    steps = _plan(thread, after)
    shown = [is_visible(step.state) - is_visible(step.before.state) for step in steps]
    roots = [step for step in steps if step.before.parent_id is None]
    published = tuple(
        comment.id
        for comment in thread.comments.values()
        if is_visible(after) and not comment.is_announced
    )
    bumped = await articles.bump_version(
        uow.session,
        thread.article_id,
        comments=sum(shown),
        replies=sum(step.listed - step.before.listed for step in roots),
        active_at=uow.now if published else None,
    )
    if bumped is None:
        raise ArticleNotFound
    version = bumped.version
    changed = [step for step in steps if step.changes_row]
    shadowed = thread.comments.keys() if is_shadowed else ()
    await _write(uow.session, changed, version, decided=thread.comments, shadowed=shadowed)
    if thread.pinned_comment_id in thread.comments and not is_visible(after):
        await articles.unpin_comment(uow.session, thread.article_id)
    _emit(uow, thread, steps, published=published, after=after, version=version)
    return version


def _plan(thread: LockedThread, after: CommentState) -> list[_Step]:
    """Return what becomes of every comment of the lines, from the deepest upwards."""
    deepest_first = sorted(thread.lines, key=lambda comment: comment.depth, reverse=True)
    steps = {
        comment.id: _Step(
            before=comment,
            state=after if comment.id in thread.comments else comment.state,
            listed=comment.listed,
        )
        for comment in deepest_first
    }
    for step in steps.values():
        # Its replies have been looked at before it: they are deeper.
        step.listed = is_visible(step.state) or step.before.reply_count + step.replies > 0
        if step.listed and step.state is CommentState.PENDING:
            step.state = CommentState.HIDDEN
        if step.before.parent_id is not None:
            came = step.listed - step.before.listed
            parent = steps[step.before.parent_id]
            parent.replies += came
            parent.descendants += came + step.descendants
    return list(steps.values())


def _emit(
    uow: UnitOfWork,
    thread: LockedThread,
    steps: Iterable[_Step],
    *,
    published: tuple[UUID, ...],
    after: CommentState,
    version: int,
) -> None:
    moved = [step for step in steps if step.listed != step.before.listed]
    comment_ids = tuple(thread.comments)
    listed_ids = tuple(step.before.id for step in moved if step.listed)
    unlisted_ids = tuple(step.before.id for step in moved if not step.listed)
    if is_visible(after):
        uow.emit(
            CommentsShown(
                article_id=thread.article_id,
                version=version,
                comment_ids=comment_ids,
                listed_ids=listed_ids,
                published_ids=published,
            )
        )
        return
    uow.emit(
        _EVENTS_OF_LEAVING[after](
            article_id=thread.article_id,
            version=version,
            comment_ids=comment_ids,
            unlisted_ids=unlisted_ids,
            withdrawn_ids=tuple(
                comment.id for comment in thread.comments.values() if is_visible(comment.state)
            ),
        )
    )


async def _list_lines(
    session: AsyncSession, article_id: UUID, comment_ids: Collection[UUID]
) -> list[LockedComment]:
    """Return comments of an article and their ancestors."""
    is_asked_for = (
        col(Comment.article_id) == article_id,
        col(Comment.id) == any_(literal(list(comment_ids), ARRAY(Uuid))),
    )
    ids = union(
        select(col(Comment.id)).where(*is_asked_for),
        select(func.unnest(col(Comment.ancestor_ids))).where(*is_asked_for),
    )
    columns = [col(getattr(Comment, field.name)) for field in fields(LockedComment)]
    statement = select(*columns).where(col(Comment.id).in_(ids))
    return [LockedComment(*row) for row in (await session.execute(statement)).all()]


async def _write(
    session: AsyncSession,
    steps: Collection[_Step],
    version: int,
    *,
    decided: Collection[UUID],
    shadowed: Collection[UUID],
) -> None:
    """Carry the steps out in one statement; votes that are counted meanwhile stay counted."""
    columns = {
        "id": literal([step.before.id for step in steps], ARRAY(Uuid)),
        "state": literal([step.state.value for step in steps], ARRAY(Text)),
        "listed": literal([step.listed for step in steps], ARRAY(Boolean)),
        "replies": literal([step.replies for step in steps], ARRAY(Integer)),
        "descendants": literal([step.descendants for step in steps], ARRAY(Integer)),
        "looks_different": literal([step.looks_different for step in steps], ARRAY(Boolean)),
        "decided": literal([step.before.id in decided for step in steps], ARRAY(Boolean)),
        "shadowed": literal([step.before.id in shadowed for step in steps], ARRAY(Boolean)),
        "revisions": literal(
            [int(step.state is not step.before.state) for step in steps], ARRAY(Integer)
        ),
    }
    rows = func.unnest(*columns.values()).table_valued(*columns).render_derived(name="steps")
    statement = (
        update(Comment)
        .where(col(Comment.id) == rows.c.id)
        .values(
            state=rows.c.state,
            listed=rows.c.listed,
            published_version=case(
                (
                    and_(~col(Comment.is_announced), rows.c.state == CommentState.VISIBLE.value),
                    version,
                ),
                else_=col(Comment.published_version),
            ),
            is_announced=or_(col(Comment.is_announced), rows.c.state == CommentState.VISIBLE.value),
            is_shadowed=case((rows.c.decided, rows.c.shadowed), else_=col(Comment.is_shadowed)),
            reply_count=col(Comment.reply_count) + rows.c.replies,
            descendant_count=col(Comment.descendant_count) + rows.c.descendants,
            version=case((rows.c.looks_different, version), else_=col(Comment.version)),
            revision=col(Comment.revision) + rows.c.revisions,
        )
        .execution_options(synchronize_session=False)
    )
    await session.execute(statement)
