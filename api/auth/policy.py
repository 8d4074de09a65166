"""What an actor may do anywhere. Pure: an actor and a scope in, a verdict out."""

from api.auth.actor import Actor
from api.auth.errors import AccountBanned, AccountSilenced, InsufficientScope
from api.auth.scopes import PUBLISHING, Scope
from models import RestrictionKind

# A banned person can still log in and out, read their own data and close the account.
_CLOSED_TO_BANNED = PUBLISHING | {Scope.PROFILE_WRITE}


def may_use(actor: Actor, scope: Scope) -> bool:
    """Tell whether the credential covers the scope and no restriction closes it."""
    return (
        scope in actor.scopes
        and not (RestrictionKind.BANNED in actor.restrictions and scope in _CLOSED_TO_BANNED)
        and not (RestrictionKind.SILENCED in actor.restrictions and scope in PUBLISHING)
    )


def may_moderate(actor: Actor, scope: Scope) -> bool:
    """Tell whether the actor may act on what others wrote, under a `...:moderate` scope."""
    return actor.is_staff and may_use(actor, scope)


def require_scope(actor: Actor, scope: Scope) -> None:
    """Raise AccountBanned, AccountSilenced or InsufficientScope unless the scope may be used."""
    if may_use(actor, scope):
        return
    if RestrictionKind.BANNED in actor.restrictions and scope in _CLOSED_TO_BANNED:
        raise AccountBanned
    if RestrictionKind.SILENCED in actor.restrictions and scope in PUBLISHING:
        raise AccountSilenced
    challenge = f'Bearer error="insufficient_scope", scope="{scope}"'
    raise InsufficientScope(
        f"Use a token with the scope {scope}.", headers=(("WWW-Authenticate", challenge),)
    )
