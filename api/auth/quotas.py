"""THE table of rate limits: action, kind of actor, quota. A route names one of its actions."""

from enum import StrEnum

from fastapi import Request, params

from api.auth.actor import Actor, ActorKind, kind_of
from api.auth.dependencies import address_of, find_actor
from api.auth.errors import RateLimited
from api.kit.dependencies import services_of
from api.kit.http.responses import add_headers
from api.kit.http.routing import declares_credentials
from api.kit.problems import NotAuthenticated, declares
from api.kit.redis.rate_limiter import Charge, Quota, ratelimit_headers
from api.kit.services import Services

MINUTE = 60
HOUR = 3600


class Action(StrEnum):
    """What is limited."""

    USER_REGISTER = "user_register"
    LOGIN_ADDRESS = "login_address"
    LOGIN_ACCOUNT = "login_account"
    LOGIN_STRANGERS = "login_strangers"
    LOGIN_KNOWN_ADDRESS = "login_known_address"
    SESSION_REFRESH = "session_refresh"
    PASSWORD_CHANGE = "password_change"  # noqa: S105 - the name of an action
    PROFILE_EDIT = "profile_edit"
    USER_COMPLETE = "user_complete"
    ARTICLE_CREATE = "article_create"
    ARTICLE_EDIT = "article_edit"
    COMMENT_CREATE = "comment_create"
    COMMENT_EDIT = "comment_edit"
    MENTION_PREVIEW = "mention_preview"
    RULES = "rules"
    VOTE = "vote"
    REPORT = "report"
    MODERATE = "moderate"
    APPEAL = "appeal"
    STREAM_OPEN = "stream_open"
    WEBHOOK = "webhook"
    WEBHOOK_SEND = "webhook_send"
    SUBSCRIBE = "subscribe"
    READ_STATE = "read_state"
    NOTIFICATIONS = "notifications"
    MAIL_UNSUBSCRIBE = "mail_unsubscribe"
    STREAM_TICKET = "stream_ticket"
    PUSH_SUBSCRIBE = "push_subscribe"


# Action -> (anonymous, newcomer, member, staff), each as requests per seconds; None: log in first.
_TABLE: dict[Action, tuple[tuple[int, int] | None, ...]] = {
    # These come before logging in, and count alike for everybody. Refused attempts count, too.
    Action.USER_REGISTER: ((20, HOUR),) * 4,
    Action.LOGIN_ADDRESS: ((20, MINUTE),) * 4,
    # One typed login from one address. Says the same of logins that exist and that do not.
    Action.LOGIN_ACCOUNT: ((10, 5 * MINUTE),) * 4,
    # One account, whichever of its logins was typed: from all addresses that it has not logged in
    # from, and from each that it has. No response shows them (docs/decisions/0014).
    Action.LOGIN_STRANGERS: ((10, 5 * MINUTE),) * 4,
    Action.LOGIN_KNOWN_ADDRESS: ((10, 5 * MINUTE),) * 4,
    Action.SESSION_REFRESH: ((30, MINUTE),) * 4,
    Action.PASSWORD_CHANGE: (None, (5, HOUR), (5, HOUR), (5, HOUR)),
    Action.PROFILE_EDIT: (None, (10, HOUR), (20, HOUR), (100, HOUR)),
    Action.USER_COMPLETE: ((30, MINUTE), (60, MINUTE), (120, MINUTE), (120, MINUTE)),
    Action.ARTICLE_CREATE: (None, (10, HOUR), (20, HOUR), (500, HOUR)),
    Action.ARTICLE_EDIT: (None, (20, HOUR), (60, HOUR), (500, HOUR)),
    Action.COMMENT_CREATE: (None, (5, MINUTE), (10, MINUTE), (60, MINUTE)),
    Action.COMMENT_EDIT: (None, (10, MINUTE), (20, MINUTE), (120, MINUTE)),
    Action.RULES: (None, (30, MINUTE), (30, MINUTE), (120, MINUTE)),
    Action.MENTION_PREVIEW: (None, (30, MINUTE), (60, MINUTE), (120, MINUTE)),
    Action.VOTE: (None, (30, MINUTE), (60, MINUTE), (120, MINUTE)),
    Action.REPORT: (None, (10, HOUR), (30, HOUR), (200, HOUR)),
    # A client sends it whenever a thread is looked at.
    Action.READ_STATE: (None, (120, MINUTE), (240, MINUTE), (240, MINUTE)),
    Action.SUBSCRIBE: (None, (30, MINUTE), (60, MINUTE), (120, MINUTE)),
    # Marking as read, and settings.
    Action.NOTIFICATIONS: (None, (60, MINUTE), (120, MINUTE), (120, MINUTE)),
    # Moderators of single articles or tags are members.
    Action.APPEAL: (None, (5, HOUR), (10, HOUR), (100, HOUR)),
    # A stream that breaks is opened again; behind one address may be an office.
    Action.STREAM_OPEN: ((120, MINUTE), (60, MINUTE), (60, MINUTE), (120, MINUTE)),
    # Only administrators have webhooks; the messages that they send on request are counted apart.
    Action.WEBHOOK: (None, (30, MINUTE), (30, MINUTE), (120, MINUTE)),
    Action.WEBHOOK_SEND: (None, (10, MINUTE), (10, MINUTE), (30, MINUTE)),
    # Mail services send these for their users, all from the same addresses.
    Action.MAIL_UNSUBSCRIBE: ((300, MINUTE),) * 4,
    Action.STREAM_TICKET: (None, (60, MINUTE), (60, MINUTE), (120, MINUTE)),
    Action.PUSH_SUBSCRIBE: (None, (30, MINUTE), (60, MINUTE), (60, MINUTE)),
    Action.MODERATE: (None, (30, MINUTE), (60, MINUTE), (300, MINUTE)),
}
QUOTAS: dict[tuple[Action, ActorKind], Quota | None] = {
    (action, kind): Quota(action.value, *rate) if rate else None
    for action, row in _TABLE.items()
    for kind, rate in zip(ActorKind, row, strict=True)
}


def limit(action: Action) -> params.Depends:
    """Return the dependency that counts a request against a person's quota of an action.

    Anonymous requests count by address, or get 401 where the action has no quota for them.
    """

    @declares_credentials
    @declares(RateLimited, NotAuthenticated)
    async def check_quota(request: Request) -> None:
        actor = await find_actor(request)
        subject = f"user:{actor.id}" if actor else f"address:{address_of(request)}"
        await charge(request, [(action, subject)], actor)

    check_quota.action = action  # type: ignore[attr-defined]  # read by docs/generate.py
    return params.Depends(check_quota)


def limit_address(action: Action) -> params.Depends:
    """Return the dependency that counts a request against its address, with credentials or without.

    For what comes before logging in: an account must not be a new quota for making accounts, and a
    refresh must not fail because of the expired access token that a client sends along.
    """

    @declares(RateLimited)
    async def check_quota(request: Request) -> None:
        await charge(request, [(action, f"address:{address_of(request)}")])

    check_quota.action = action  # type: ignore[attr-defined]  # read by docs/generate.py
    return params.Depends(check_quota)


async def charge(
    request: Request, due: list[tuple[Action, str]], actor: Actor | None = None
) -> None:
    """Count a request against quotas, all or none. Raises RateLimited or NotAuthenticated."""
    services = services_of(request)
    if not services.settings.rate_limits_enabled:
        return
    kind = kind_of(actor, services.clock.now())
    charges = []
    for action, subject in due:
        quota = QUOTAS[action, kind]
        if quota is None:
            raise NotAuthenticated
        charges.append(Charge(quota, subject))
    verdict = await services.limiter.charge(charges)
    headers = ratelimit_headers(verdict)
    add_headers(request, headers)
    if not verdict.allowed:
        raise RateLimited(headers=tuple(headers.items()))


async def take_quota(services: Services, action: Action, subject: str) -> bool:
    """Count an attempt against an anonymous quota that no response shows; tell whether it fits."""
    quota = QUOTAS[action, ActorKind.ANONYMOUS]
    if quota is None:
        raise NotAuthenticated
    if not services.settings.rate_limits_enabled:
        return True
    verdict = await services.limiter.charge([Charge(quota, subject)])
    return verdict.allowed
