"""Rules about who may vote. Pure: no I/O."""

from uuid import UUID

from api.auth.actor import Actor
from api.comments.errors import CommentGone
from api.comments.visibility import is_visible
from api.votes.errors import OwnVote
from models import CommentState


def require_may_vote(
    actor: Actor, author_id: UUID | None, state: CommentState = CommentState.VISIBLE
) -> None:
    """Raise CommentGone for a comment that is not visible, OwnVote for the actor's own text."""
    if not is_visible(state):
        raise CommentGone
    if author_id == actor.id:
        raise OwnVote
