"""Notifications as they are shown."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import RowMapping

from api.comments.schemas import ArticleLink
from api.kit.text.excerpts import make_excerpt
from api.notifications.inbox.queries import GroupRow
from api.notifications.inbox.schemas import (
    NotificationGroup,
    NotificationRead,
    NotifiedAppeal,
    NotifiedComment,
    NotifiedDecision,
    NotifiedSanction,
)
from api.users.schemas import PersonRead
from models import NotificationKind, User

# People that are named of a group.
MAX_ACTORS = 3


def to_notification(row: RowMapping, group: NotificationGroup | None = None) -> NotificationRead:
    """Return a notification, of a row with the columns of `select_notifications`."""
    kind = row["kind"]
    return NotificationRead(
        id=row["id"],
        number=row["number"],
        kind=kind,
        is_read=row["is_read"],
        actor=_find_actor(row),
        article=_find_article(row),
        comment=_find_comment(row),
        decision=_describe_decision(row) if kind is NotificationKind.DECISION else None,
        appeal=_describe_appeal(row) if kind is NotificationKind.APPEAL else None,
        webhook_id=row["object_id"] if kind is NotificationKind.WEBHOOK_DISABLED else None,
        group_id=row["group_id"],
        group=group,
        created_at=row["created_at"],
    )


def to_group(row: GroupRow, people: Mapping[UUID, User]) -> NotificationGroup:
    """Return what is told of a group beside its newest notification."""
    newest = list(dict.fromkeys(one for one in row.actor_ids if one is not None))[:MAX_ACTORS]
    return NotificationGroup(
        count=row.count,
        unread_count=row.unread_count,
        actors=[PersonRead.model_validate(people[one]) for one in newest],
        actor_count=row.actor_count,
    )


def _find_actor(row: RowMapping) -> PersonRead | None:
    if row["actor_handle"] is None:
        return None
    return PersonRead(
        id=row["actor_id"],
        handle=row["actor_handle"],
        display_name=row["actor_display_name"],
        avatar_url=row["actor_avatar_url"],
    )


def _find_article(row: RowMapping) -> ArticleLink | None:
    if row["article_slug"] is None:
        return None
    return ArticleLink(id=row["article_id"], slug=row["article_slug"], title=row["article_title"])


def _find_comment(row: RowMapping) -> NotifiedComment | None:
    if row["comment_html"] is None:
        return None
    return NotifiedComment(
        id=row["comment_id"],
        parent_id=row["comment_parent_id"],
        excerpt=make_excerpt(row["comment_html"]),
    )


def _describe_decision(row: RowMapping) -> NotifiedDecision:
    sanction = None
    if row["sanction_kind"] is not None:
        sanction = NotifiedSanction(
            kind=row["sanction_kind"],
            message=row["sanction_message"],
            ends_at=row["sanction_ends_at"],
        )
    return NotifiedDecision(
        log_id=row["log_id"],
        action=row["action"],
        reason=row["reason"],
        article_id=row["article_id"],
        comment_id=row["comment_id"],
        comment_state=None if row["comment_id"] is None else row["state_after"],
        sanction=sanction,
    )


def _describe_appeal(row: RowMapping) -> NotifiedAppeal:
    return NotifiedAppeal(
        id=row["appeal_id"],
        log_id=row["log_id"],
        state=row["appeal_outcome"],
        decision_reason=row["appeal_reason"],
    )
