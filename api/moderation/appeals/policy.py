"""Who may decide which appeal: pure rules, without I/O."""

from api.auth.actor import Actor
from api.moderation.appeals.errors import MayNotDecide
from api.moderation.sanctions.policy import require_may_read, require_may_sanction
from models import LogAction, ModerationLogEntry, User


def require_may_decide(actor: Actor | None, log_entry: ModerationLogEntry, user: User) -> None:
    """Raise NotAModerator, MayNotDecide or MayNotSanction unless the actor may decide an appeal.

    Nobody decides about their own decision, or about themselves; whoever lifts a sanction has to be
    one who may make it. Without an actor it is the operator at the command line.
    """
    if actor is None:
        return
    require_may_read(actor)
    if actor.id in (log_entry.actor_id, user.id):
        raise MayNotDecide
    if log_entry.action is LogAction.SANCTION:
        require_may_sanction(actor, user)
