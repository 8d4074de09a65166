"""Decisions and appeals as they are shown."""

from datetime import datetime
from typing import Any

from api.moderation.appeals.queries import AppealRow, DecisionRow
from api.moderation.appeals.schemas import (
    AppealedDecisionRead,
    AppealRead,
    OwnDecisionRead,
    StaffAppealRead,
)
from api.moderation.sanctions.presenters import to_own_sanction
from api.users.schemas import PersonRead
from models import Appeal, ModerationLogEntry, Sanction


def to_appeal(appeal: Appeal) -> AppealRead:
    """Return an appeal as the person sees it: not who decided it."""
    return AppealRead(**_describe_appeal(appeal))


def to_own_decision(row: DecisionRow, now: datetime) -> OwnDecisionRead:
    """Return a decision as the person sees it: not who made it."""
    return OwnDecisionRead(
        **_describe_decision(row.log_entry, row.sanction, now),
        appeal=row.appeal and to_appeal(row.appeal),
        can_be_appealed=row.appeal is None and not row.is_undone,
    )


def to_staff_appeal(row: AppealRow, now: datetime) -> StaffAppealRead:
    """Return an appeal as staff see it."""
    moderator = row.decided_by
    return StaffAppealRead(
        **_describe_appeal(row.appeal),
        person=PersonRead.model_validate(row.person),
        decision=AppealedDecisionRead(
            **_describe_decision(row.log_entry, row.sanction, now),
            decided_by=None if moderator is None else PersonRead.model_validate(moderator),
        ),
    )


def _describe_appeal(appeal: Appeal) -> dict[str, Any]:
    return {
        "id": appeal.id,
        "log_id": appeal.log_id,
        "text": appeal.text,
        "state": appeal.outcome,
        "decision_reason": appeal.decision_reason,
        "created_at": appeal.created_at,
        "decided_at": appeal.decided_at,
    }


def _describe_decision(
    log_entry: ModerationLogEntry, sanction: Sanction | None, now: datetime
) -> dict[str, Any]:
    return {
        "log_id": log_entry.id,
        "action": log_entry.action,
        "reason": log_entry.reason,
        "article_id": log_entry.article_id,
        "comment_id": log_entry.comment_id,
        "sanction": None if sanction is None else to_own_sanction(sanction, now),
        "created_at": log_entry.created_at,
    }
