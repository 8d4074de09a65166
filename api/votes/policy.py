"""Who may vote on what. Pure: rows in, verdict out."""

from uuid import UUID

from api.auth.actor import Actor
from api.comments.errors import CommentGone
from api.comments.visibility import is_visible
from api.votes.errors import OwnVote
from models import CommentState


def require_may_vote(
    actor: Actor, author_id: UUID | None, state: CommentState = CommentState.VISIBLE
) -> None:
    """Raise CommentGone for what was taken back, OwnVote for what the actor wrote."""
    if not is_visible(state):
        raise CommentGone
    if author_id == actor.id:
        raise OwnVote
