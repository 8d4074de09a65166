"""What an actor may do anywhere. Pure: an actor and a scope in, a verdict out."""

from collections.abc import Mapping
from datetime import UTC
from typing import Any

from api.auth.actor import Actor
from api.auth.errors import AccountBanned, AccountSilenced, InsufficientScope
from api.auth.scopes import PUBLISHING, Scope
from models import SanctionKind

# What a sanction closes, and the problem that says so, the most severe first. A banned person can
# still log in and out, read their own data, appeal, and close the account.
_CLOSED: Mapping[
    SanctionKind, tuple[frozenset[Scope], type[AccountBanned] | type[AccountSilenced]]
] = {
    SanctionKind.BAN: (
        PUBLISHING | {Scope.PROFILE_WRITE, Scope.REPORTS_WRITE, Scope.MODERATION_READ},
        AccountBanned,
    ),
    SanctionKind.SILENCE: (PUBLISHING, AccountSilenced),
}


def may_use(actor: Actor, scope: Scope) -> bool:
    """Tell whether the credential covers the scope and no restriction closes it."""
    return scope in actor.scopes and _find_closing(actor, scope) is None


def may_moderate(actor: Actor, scope: Scope) -> bool:
    """Tell whether the actor may act on what others wrote, under a `...:moderate` scope.

    Moderators of single articles and tags may as `actor.at(...)` only.
    """
    return (actor.is_staff or actor.moderates_here) and may_use(actor, scope)


def writes_as_staff(actor: Actor) -> bool:
    """Tell whether screening takes what the actor writes for a text of staff.

    A member who moderates here is staff here, except that a sanction of theirs applies.
    """
    is_screened = actor.restrictions.keys() & {SanctionKind.SHADOW_BAN, SanctionKind.PRE_MODERATION}
    return actor.is_staff or (actor.moderates_here and not is_screened)


def require_scope(actor: Actor, scope: Scope) -> None:
    """Raise AccountBanned, AccountSilenced or InsufficientScope unless the scope may be used."""
    kind = _find_closing(actor, scope)
    if kind is not None:
        raise _CLOSED[kind][1](**_describe_restriction(actor, kind))
    if scope not in actor.scopes:
        challenge = f'Bearer error="insufficient_scope", scope="{scope}"'
        raise InsufficientScope(
            f"Use a token with the scope {scope}.", headers=(("WWW-Authenticate", challenge),)
        )


def _find_closing(actor: Actor, scope: Scope) -> SanctionKind | None:
    """Return the kind of the active restriction that closes a scope."""
    if not actor.restrictions:
        return None
    return next(
        (
            kind
            for kind, (closed, _) in _CLOSED.items()
            if kind in actor.restrictions and scope in closed
        ),
        None,
    )


def _describe_restriction(actor: Actor, kind: SanctionKind) -> dict[str, Any]:
    restriction = actor.restrictions[kind]
    ends_at = restriction.ends_at
    return {
        "reason": restriction.reason.value,
        "message": restriction.message,
        "ends_at": ends_at and ends_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
    }
