"""Who may report what, and how much a report weighs: pure rules, without I/O."""

from datetime import datetime

from api.auth.actor import Actor, ActorKind
from api.comments.errors import CommentGone
from api.comments.policy import get_state_for
from api.comments.visibility import is_visible
from api.moderation.errors import AlreadyReported, OwnComment
from models import Comment, CommentState, ModerationLogEntry

# Of a person who has just come, against one who has been here for a day.
_WEIGHT_OF_NEWCOMERS = 0.5


def require_may_report(actor: Actor, comment: Comment, last_reported_at: datetime | None) -> None:
    """Raise CommentGone, OwnComment or AlreadyReported unless the actor may report a comment.

    After an edit the text is another, which may be reported again.
    """
    if not is_visible(get_state_for(actor, comment)):
        raise CommentGone
    if comment.author_id == actor.id:
        raise OwnComment
    if last_reported_at is not None and (
        comment.edited_at is None or last_reported_at >= comment.edited_at
    ):
        raise AlreadyReported


def was_approved(comment: Comment, newest: ModerationLogEntry | None) -> bool:
    """Return whether the newest decision about a comment let this very text stay."""
    if newest is None or not is_visible(CommentState(newest.after["state"])):
        return False
    return comment.edited_at is None or newest.created_at >= comment.edited_at


def weigh_report(kind: ActorKind, *, upheld: int, decided: int) -> float:
    """Return the weight of a report: 1 for a reporter without a record, between 0 and 2.

    Twice the share of the reporter's decided reports that were upheld, with one of each kind added
    (Laplace's rule of succession), so that a few reports do not decide it. Half for newcomers.
    """
    weight = 2 * (upheld + 1) / (decided + 2)
    return weight * _WEIGHT_OF_NEWCOMERS if kind is ActorKind.NEWCOMER else weight
