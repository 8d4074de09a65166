"""What of an inbox can be seen now: every statement joins who can see a comment or an article."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    RowMapping,
    Select,
    and_,
    any_,
    case,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlalchemy.types import Uuid
from sqlmodel import col

from api.articles.visibility import is_public
from api.comments.visibility import shows_text
from models import (
    Appeal,
    Article,
    Comment,
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


async def find_deliverable(
    session: AsyncSession, notification_ids: Collection[UUID]
) -> Sequence[RowMapping]:
    """Return what is unread of notifications, and can be seen now, in the order of their numbers.

    The columns are those of `select_notifications`.
    """
    statement = (
        select_notifications()
        .where(
            col(Notification.id) == any_(literal(list(notification_ids), ARRAY(Uuid))),
            col(Notification.read_at).is_(None),
        )
        .order_by(col(Notification.user_id), col(Notification.number))
    )
    return (await session.execute(statement)).mappings().all()
