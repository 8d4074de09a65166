"""What of an inbox can be seen now: every statement joins who can see a comment or an article."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    RowMapping,
    Select,
    and_,
    any_,
    case,
    delete,
    func,
    literal,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlalchemy.types import Uuid
from sqlmodel import col

from api.articles.visibility import is_public
from api.comments.visibility import shows_text
from api.kit.http.pagination import Slice, slice_rows
from models import (
    Appeal,
    Article,
    Comment,
    Inbox,
    ModerationLogEntry,
    Notification,
    NotificationKind,
    Sanction,
    User,
)

# About the person, who is told whatever became of the text.
_PERSONAL = (
    NotificationKind.DECISION,
    NotificationKind.APPEAL,
    NotificationKind.WEBHOOK_DISABLED,
)
# Unread notifications that are looked at to count those that can be seen.
_MAX_EXAMINED = 2000
# Notifications that are grouped: the newest ones.
MAX_GROUPED = 1000
# Notifications that one request marks as read.
MAX_MARKED = 5000
# People of a group that are looked at for the newest few.
_MAX_ACTORS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """Which notifications are marked as read; None is any."""

    ids: Collection[UUID] | None = None
    article_id: UUID | None = None
    kind: NotificationKind | None = None
    group_id: UUID | None = None
    up_to: int | None = None
    # Of comments that the thread had at this version of its article.
    version: int | None = None


@dataclass(frozen=True, slots=True)
class GroupRow:
    """Notifications of one kind and group: the newest one, and how many there are."""

    notification_id: UUID
    number: int
    has_unread: bool
    count: int
    unread_count: int
    # Of the newest notifications, the newest first; a person can come twice.
    actor_ids: Sequence[UUID | None]
    actor_count: int


def is_shown() -> ColumnElement[bool]:
    """Return whether the recipient of a notification can see what it is about.

    Of a statement that joins the article and the comment, where there are some.
    """
    is_personal = col(Notification.kind).in_(
        [literal(kind.value, literal_execute=True) for kind in _PERSONAL]
    )
    has_text = or_(col(Notification.comment_id).is_(None), shows_text())
    return or_(is_personal, and_(is_public(), has_text))


def select_notifications() -> Select[*tuple[Any, ...]]:
    """Select notifications that their recipients can see, with everything that is told of them.

    The columns: those of Notification but `read_at`, which is `is_read`; `recipient_email`,
    `recipient_handle` and `recipient_display_name`; `actor_*` (`handle`, `display_name`,
    `avatar_url`); `article_*` (`slug`, `title`, `url`), null unless the article is public;
    `comment_*` (`parent_id`, `html`), null unless the comment is; and of a decision or an appeal
    `action`, `reason`, `state_after`, `sanction_kind`, `sanction_message`, `sanction_ends_at`,
    `appeal_outcome`, `appeal_reason`, but never who decided.
    """
    recipient, actor = aliased(User, name="recipient"), aliased(User, name="actor")
    is_text_shown = and_(col(Comment.id).is_not(None), is_public(), shows_text())
    is_article_shown = and_(col(Article.id).is_not(None), is_public())
    names = (
        *("id", "user_id", "number", "kind", "object_id", "group_id", "created_at"),
        *("actor_id", "article_id", "comment_id", "log_id", "appeal_id"),
    )
    columns: list[ColumnElement[Any]] = [
        *(col(getattr(Notification, name)).label(name) for name in names),
        col(Notification.read_at).is_not(None).label("is_read"),
        *(
            col(getattr(recipient, name)).label(f"recipient_{name}")
            for name in ("email", "handle", "display_name")
        ),
        *(
            col(getattr(actor, name)).label(f"actor_{name}")
            for name in ("handle", "display_name", "avatar_url")
        ),
        *(
            case((is_article_shown, col(getattr(Article, name)))).label(f"article_{name}")
            for name in ("slug", "title", "url")
        ),
        case((is_text_shown, col(Comment.parent_id))).label("comment_parent_id"),
        case((is_text_shown, col(Comment.html))).label("comment_html"),
        col(ModerationLogEntry.action).label("action"),
        col(ModerationLogEntry.reason).label("reason"),
        col(ModerationLogEntry.after)["state"].as_string().label("state_after"),
        col(Sanction.kind).label("sanction_kind"),
        col(Sanction.message).label("sanction_message"),
        col(Sanction.ends_at).label("sanction_ends_at"),
        col(Appeal.outcome).label("appeal_outcome"),
        col(Appeal.decision_reason).label("appeal_reason"),
    ]
    sanction_log_id = case(
        (col(ModerationLogEntry.undoes_id).is_not(None), col(ModerationLogEntry.undoes_id)),
        else_=col(ModerationLogEntry.id),
    )
    return (
        select(*columns)
        .select_from(Notification)
        .join(recipient, col(recipient.id) == col(Notification.user_id))
        .outerjoin(actor, col(actor.id) == col(Notification.actor_id))
        .outerjoin(Article, col(Article.id) == col(Notification.article_id))
        .outerjoin(Comment, col(Comment.id) == col(Notification.comment_id))
        .outerjoin(ModerationLogEntry, col(ModerationLogEntry.id) == col(Notification.log_id))
        .outerjoin(Sanction, col(Sanction.log_id) == sanction_log_id)
        .outerjoin(Appeal, col(Appeal.id) == col(Notification.appeal_id))
        .where(is_shown())
    )


def _unread() -> ColumnElement[bool]:
    return col(Notification.read_at).is_(None)


def _is_one_of(ids: Collection[UUID]) -> ColumnElement[bool]:
    return col(Notification.id) == any_(literal(list(ids), ARRAY(Uuid)))


async def find_deliverable(
    session: AsyncSession, notification_ids: Collection[UUID]
) -> Sequence[RowMapping]:
    """Return what is unread of notifications, and can be seen now, in the order of their numbers.

    The columns are those of `select_notifications`.
    """
    statement = (
        select_notifications()
        .where(_is_one_of(notification_ids), _unread())
        .order_by(col(Notification.user_id), col(Notification.number))
    )
    return (await session.execute(statement)).mappings().all()


async def find_shown(
    session: AsyncSession, notification_ids: Collection[UUID]
) -> dict[UUID, RowMapping]:
    """Return notifications that can be seen now, by their ids."""
    statement = select_notifications().where(_is_one_of(notification_ids))
    return {row["id"]: row for row in (await session.execute(statement)).mappings()}


async def list_newest(
    session: AsyncSession,
    user_id: UUID,
    *,
    is_read: bool | None,
    before: int | None,
    limit: int,
) -> Slice[RowMapping]:
    """Return notifications of a person with numbers below `before`, the newest first.

    Read ones, unread ones, or (None) both, each along an index of its own.
    """
    statement = (
        select_notifications()
        .where(col(Notification.user_id) == user_id)
        .order_by(col(Notification.number).desc())
        .limit(limit + 1)
    )
    if is_read is not None:
        statement = statement.where(~_unread() if is_read else _unread())
    if before is not None:
        statement = statement.where(col(Notification.number) < before)
    return slice_rows((await session.execute(statement)).mappings().all(), limit)


async def list_groups(
    session: AsyncSession,
    user_id: UUID,
    *,
    only_unread: bool,
    unread_first: bool,
    after: tuple[bool, int] | None,
    limit: int,
) -> Slice[GroupRow]:
    """Return groups among a person's newest MAX_GROUPED notifications that can be seen.

    The position of a group is whether it has an unread one, which counts with `unread_first` only,
    and the number of its newest.
    """
    n = (
        _select_shown(
            *("id", "number", "kind", "group_id", "actor_id"),
            _unread().label("is_unread"),
        )
        .where(col(Notification.user_id) == user_id, *([_unread()] if only_unread else []))
        .order_by(col(Notification.number).desc())
        .limit(MAX_GROUPED)
        .cte("n")
        .c
    )
    newest = func.max(n.number)
    has_unread = func.bool_or(n.is_unread)
    keys: list[ColumnElement[Any]] = [has_unread, newest] if unread_first else [newest]

    def list_newest_first(column: ColumnElement[Any]) -> ColumnElement[Any]:
        return func.array_agg(aggregate_order_by(column, n.number.desc()), type_=ARRAY(Uuid))

    statement = (
        select(
            list_newest_first(n.id)[1],
            newest,
            has_unread,
            func.count(),
            func.count().filter(n.is_unread),
            list_newest_first(n.actor_id)[1:_MAX_ACTORS],
            func.count(n.actor_id.distinct()),
        )
        .group_by(n.kind, n.group_id)
        .order_by(*(key.desc() for key in keys))
        .limit(limit + 1)
    )
    if after is not None:
        statement = statement.having(tuple_(*keys) < tuple_(*after[-len(keys) :]))
    rows = [GroupRow(*row) for row in (await session.execute(statement)).all()]
    return slice_rows(rows, limit)


async def find_people(session: AsyncSession, user_ids: Collection[UUID]) -> dict[UUID, User]:
    """Return people by their ids."""
    statement = select(User).where(col(User.id) == any_(literal(list(user_ids), ARRAY(Uuid))))
    return {user.id: user for user in await session.scalars(statement)}


async def count_unread(session: AsyncSession, user_id: UUID, *, limit: int) -> int:
    """Return how many unread notifications a person can see, at most `limit`.

    Among the newest 2000 unread ones, so that the cost has a bound too where many were withdrawn.
    """
    newest = (
        select(col(Notification.id))
        .where(col(Notification.user_id) == user_id, _unread())
        .order_by(col(Notification.number).desc())
        .limit(_MAX_EXAMINED)
        .subquery()
    )
    shown = _select_shown("id").join(newest, newest.c.id == col(Notification.id)).limit(limit)
    return await session.scalar(select(func.count()).select_from(shown.subquery())) or 0


async def find_last_number(session: AsyncSession, user_id: UUID) -> int:
    """Return the number of the newest notification that a person got, 0 for none."""
    statement = select(col(Inbox.last_number)).where(col(Inbox.user_id) == user_id)
    return await session.scalar(statement) or 0


async def mark_read(session: AsyncSession, user_id: UUID, marked: Marked, now: datetime) -> int:
    """Mark unread notifications that a person can see as read, at most MAX_MARKED; return how many.

    What cannot be seen stays unread: it comes back as such when it is restored.
    """
    where = [col(Notification.user_id) == user_id, _unread()]
    if marked.ids is not None:
        where.append(_is_one_of(marked.ids))
    if marked.up_to is not None:
        where.append(col(Notification.number) <= marked.up_to)
    if marked.version is not None:
        # Of an edited comment it may be the new text that mentions the person.
        published = func.coalesce(Comment.published_version, Comment.version)
        shown_at = case((col(Comment.edited_at).is_(None), published), else_=col(Comment.version))
        where.append(col(Notification.kind).not_in(_PERSONAL))
        where.append(or_(col(Notification.comment_id).is_(None), shown_at <= marked.version))
    for name in ("article_id", "kind", "group_id"):
        value = getattr(marked, name)
        if value is not None:
            where.append(col(getattr(Notification, name)) == value)
    chosen = (
        _select_shown("id")
        .where(*where)
        .order_by(col(Notification.number).desc())
        .limit(MAX_MARKED)
        .with_for_update(of=Notification, key_share=True)
        .cte("chosen")
    )
    statement = (
        update(Notification)
        .where(col(Notification.id) == chosen.c.id)
        .values(read_at=now)
        .returning(col(Notification.id))
        .execution_options(synchronize_session=False)
    )
    return len((await session.execute(statement)).all())


async def purge_read(session: AsyncSession, *, before: datetime, limit: int) -> int:
    """Delete at most `limit` notifications that were read before a moment; return how many."""
    return await _purge(session, col(Notification.read_at) < before, limit)


async def purge_old(session: AsyncSession, *, before: datetime, limit: int) -> int:
    """Delete at most `limit` notifications from before a moment, read or not; return how many."""
    return await _purge(session, col(Notification.created_at) < before, limit)


async def _purge(session: AsyncSession, where: ColumnElement[bool], limit: int) -> int:
    old = (
        select(col(Notification.id))
        .where(where)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("old")
    )
    statement = (
        delete(Notification)
        .where(col(Notification.id) == old.c.id)
        .returning(col(Notification.id))
        .execution_options(synchronize_session=False)
    )
    return len((await session.execute(statement)).all())


def _select_shown(*columns: str | ColumnElement[Any]) -> Select[*tuple[Any, ...]]:
    """Select columns of notifications that their recipients can see."""
    listed = [col(getattr(Notification, one)) if isinstance(one, str) else one for one in columns]
    return (
        select(*listed)
        .select_from(Notification)
        .outerjoin(Article, col(Article.id) == col(Notification.article_id))
        .outerjoin(Comment, col(Comment.id) == col(Notification.comment_id))
        .where(is_shown())
    )
