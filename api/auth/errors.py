"""Problems that any operation can have because of who asks, or how often."""

from typing import Any, ClassVar

from api.kit.problems import Problem

# What the person is told of the sanction; `ends_at` is null without an end.
_SANCTION = {
    "reason": "abuse",
    "message": "Two warnings were not enough.",
    "ends_at": "2026-12-01T09:30:00Z",
}


class RateLimited(Problem):
    """Too much in too short a time."""

    status = 429
    code = "rate_limited"
    title = "Too many requests"
    detail = "Wait for the number of seconds in Retry-After, then send the request again."
    headers = (("Retry-After", "1"),)


class InsufficientScope(Problem):
    """The token does not cover the operation (RFC 6750, 3.1)."""

    status = 403
    code = "insufficient_scope"
    title = "Insufficient scope"
    detail = "Use a token with the scope that is named in WWW-Authenticate."


class AccountSilenced(Problem):
    """The person may not publish anything for a time."""

    status = 403
    code = "account_silenced"
    title = "Account silenced"
    detail = (
        "You can read, but not write or vote, until `ends_at`. GET /v1/me/decisions lists what you "
        "can appeal against."
    )
    example: ClassVar[dict[str, Any]] = _SANCTION


class AccountBanned(Problem):
    """The person may not take part for a time."""

    status = 403
    code = "account_banned"
    title = "Account banned"
    detail = (
        "You can read, but not take part, until `ends_at`. GET /v1/me/decisions lists what you can "
        "appeal against."
    )
    example: ClassVar[dict[str, Any]] = _SANCTION
