"""What a decision makes of a comment: pure rules, without I/O."""

from collections.abc import Mapping

from api.moderation.actions.schemas import ModerationAction
from api.moderation.errors import ActionNotPossible, NothingToUndo
from models import (
    CommentState,
    LogAction,
    ModerationLogEntry,
    ReportResolution,
    ReviewResolution,
)

# What each action makes of a comment in a state; a state that is not named does not take it.
_AFTER: Mapping[ModerationAction, Mapping[CommentState, CommentState]] = {
    # Visible stays visible: its reports are dismissed.
    ModerationAction.APPROVE: {
        CommentState.PENDING: CommentState.VISIBLE,
        CommentState.HIDDEN: CommentState.VISIBLE,
        CommentState.VISIBLE: CommentState.VISIBLE,
    },
    ModerationAction.HIDE: {CommentState.VISIBLE: CommentState.HIDDEN},
    ModerationAction.REMOVE: {
        CommentState.PENDING: CommentState.REMOVED,
        CommentState.VISIBLE: CommentState.REMOVED,
        CommentState.HIDDEN: CommentState.REMOVED,
    },
    ModerationAction.RESTORE: {
        CommentState.HIDDEN: CommentState.VISIBLE,
        CommentState.REMOVED: CommentState.VISIBLE,
    },
    ModerationAction.ESCALATE: {
        CommentState.PENDING: CommentState.PENDING,
        CommentState.VISIBLE: CommentState.VISIBLE,
        CommentState.HIDDEN: CommentState.HIDDEN,
        CommentState.REMOVED: CommentState.REMOVED,
    },
}
# What a decision says of the wait for it, and of the reports.
RESOLUTIONS: Mapping[LogAction, tuple[ReviewResolution, ReportResolution]] = {
    LogAction.APPROVE: (ReviewResolution.APPROVED, ReportResolution.DISMISSED),
    LogAction.RESTORE: (ReviewResolution.APPROVED, ReportResolution.DISMISSED),
    LogAction.HIDE: (ReviewResolution.HIDDEN, ReportResolution.UPHELD),
    LogAction.REMOVE: (ReviewResolution.REMOVED, ReportResolution.UPHELD),
}
# What undoing a decision makes of a comment, by the state before the decision. What was pending
# becomes hidden: it may have been shown since, and hidden waits for a moderator all the same.
_AFTER_UNDO: Mapping[CommentState, CommentState] = {
    CommentState.PENDING: CommentState.HIDDEN,
    CommentState.VISIBLE: CommentState.VISIBLE,
    CommentState.HIDDEN: CommentState.HIDDEN,
    CommentState.REMOVED: CommentState.REMOVED,
}
_CAN_BE_UNDONE = frozenset({*RESOLUTIONS, LogAction.ESCALATE})


def get_state_after(action: ModerationAction, before: CommentState) -> CommentState:
    """Return what an action makes of a comment. Raises ActionNotPossible."""
    after = _AFTER[action].get(before)
    if after is None:
        raise ActionNotPossible(f"A comment that is {before.value} does not take this action.")
    return after


def get_state_after_undo(log_entry: ModerationLogEntry | None, revision: int) -> CommentState:
    """Return what undoing the newest decision makes of a comment. Raises NothingToUndo."""
    if (
        log_entry is None
        or log_entry.action not in _CAN_BE_UNDONE
        or log_entry.after.get("revision") != revision
    ):
        raise NothingToUndo
    if log_entry.before["state"] == log_entry.after["state"]:
        return CommentState(log_entry.after["state"])
    return _AFTER_UNDO[CommentState(log_entry.before["state"])]
