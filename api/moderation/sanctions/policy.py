"""Who may sanction which person: pure rules, without I/O."""

from datetime import datetime, timedelta

from api.auth.actor import Actor
from api.moderation.errors import NotAModerator
from api.moderation.sanctions.errors import InvalidSanctionEnd, MayNotSanction
from models import Role, Sanction, SanctionKind, User

MAX_DURATION = timedelta(days=3653)

_RANKS = {Role.MEMBER: 0, Role.MODERATOR: 1, Role.ADMIN: 2}


def require_may_read(actor: Actor) -> None:
    """Raise NotAModerator unless the actor moderates the whole forum."""
    if not actor.is_staff:
        raise NotAModerator


def require_may_sanction(actor: Actor | None, user: User) -> None:
    """Raise NotAModerator or MayNotSanction unless the actor may sanction the person.

    Without an actor it is the operator at the command line, who may sanction everybody.
    """
    if actor is None:
        return
    require_may_read(actor)
    # Nobody sanctions themselves: their own role is never below it.
    if _RANKS[user.role] >= _RANKS[actor.role]:
        raise MayNotSanction


def require_valid_end(ends_at: datetime | None, now: datetime) -> None:
    """Raise InvalidSanctionEnd for an end that is past, or more than ten years away."""
    if ends_at is not None and not now < ends_at <= now + MAX_DURATION:
        raise InvalidSanctionEnd


def is_active(sanction: Sanction, now: datetime) -> bool:
    """Return whether a sanction is in force."""
    is_over = sanction.ends_at is not None and sanction.ends_at <= now
    return sanction.lifted_at is None and not is_over


def ends_sessions(kind: SanctionKind) -> bool:
    """Return whether a sanction of this kind logs the person out everywhere."""
    return kind is SanctionKind.BAN
