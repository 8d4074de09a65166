"""Who may appoint moderators: pure rules, without I/O."""

from api.auth.actor import Actor
from api.moderation.moderators.errors import NotAnAdministrator
from models import Role


def require_admin(actor: Actor) -> None:
    """Raise NotAnAdministrator for anybody else."""
    if actor.role is not Role.ADMIN:
        raise NotAnAdministrator
