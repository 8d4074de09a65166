"""The pages of docs/ that are written from the code; `make docs` runs this."""

from pathlib import Path

from fastapi.routing import APIRoute

import api.cli.main  # noqa: F401 - with it, every module that defines a problem is imported
from api.auth.actor import ActorKind
from api.auth.quotas import QUOTAS, Action
from api.kit.problems import Problem
from api.kit.redis.rate_limiter import Quota
from api.main import ROUTERS

FOLDER = Path(__file__).parent

# What counts against quotas that are not simply those of a person.
NOTES = {
    Action.USER_REGISTER: "`create_user`, for each address",
    Action.LOGIN_ADDRESS: "`create_session`, for each address",
    Action.LOGIN_ACCOUNT: "`create_session`, for each login that was typed, from each address",
    Action.LOGIN_STRANGERS: "`create_session`, for each account, from all addresses that it has "
    "not logged in from; never shown",
    Action.LOGIN_KNOWN_ADDRESS: "`create_session`, for each account, from each address that it "
    "has logged in from; never shown",
    Action.SESSION_REFRESH: "`refresh_session`, for each address",
}

LIMITS = """\
# Rate limits

<!-- Written by `make docs` from api/auth/quotas.py. -->

A quota of "10 in 1 min" allows ten requests in any 60 seconds. A request that gets 429 uses up
nothing; any other counts, even if it fails. Each person has a quota of their own in each row,
whatever they log in with; without credentials, each address has (of IPv6, each /64 network).

**Anonymous** is a request without credentials, a **newcomer** has an account for less than a day
(or, with `newcomer_approved_comments`, [fewer published comments](moderation.md#newcomers)),
**staff** are moderators and admins, and a **member** is anybody else.

{table}

The operations have the names of the [OpenAPI document](../openapi/openapi.json). All others are not
limited.

## What a client sees

Every response of a limited operation says what is left, in the syntax of the IETF draft:

```
RateLimit-Policy: "comment_create";q=10;w=60
RateLimit: "comment_create";r=9;t=60
```

`q` requests in `w` seconds; `r` are left, and more are available in `t` seconds. Beyond that the
response is 429 `rate_limited` with `Retry-After`, in seconds: wait that long, then send the request
again, with the same `Idempotency-Key` if it had one. While Redis is unavailable, each process
counts by itself and allows half.

`PALAVER_RATE_LIMITS_ENABLED=false` turns all of them off, for load tests and
[imports](import.md#through-the-api). What one request may contain is in the OpenAPI document, and
how connections are bounded in [Operations](operations.md#bounds-on-connections).
"""

PROBLEMS = """\
# Problems

<!-- Written by `make docs` from the code. -->

Every error is `application/problem+json` (RFC 9457). Branch on `code`: it is stable, and the
[OpenAPI document](../openapi/openapi.json) lists the codes of each operation. `title` is always the
same for a code; `detail` says what to do and may change. Later releases may add codes: treat an
unknown one by its status.

```json
{{
  "type": "urn:palaver:problem:validation_failed",
  "title": "Invalid request",
  "status": 422,
  "detail": "Correct what is listed in `errors`.",
  "instance": "/v1/articles",
  "code": "validation_failed",
  "request_id": "b05e1b829689ff12-1e",
  "errors": [
    {{"pointer": "/body/title", "code": "string_too_short", "detail": "This must not be empty."}}
  ]
}}
```

`errors` comes with `validation_failed`: each `pointer` begins with `body`, `query`, `path` or
`header`, so a form can show `detail` beside its field. `request_id` is also in the `X-Request-Id`
header of every response; quote it when you report a problem.

{table}
"""


def make_pages() -> dict[str, str]:
    """Return the text of each generated page by its name."""
    return {"limits.md": make_limits(), "problems.md": make_problems()}


def make_limits() -> str:
    """Return the page of the table of rate limits."""
    operations = _find_limited_operations()
    rows = [["quota", *ActorKind, "counts"]]
    for action in Action:
        quotas = [_describe_quota(QUOTAS[action, kind]) for kind in ActorKind]
        rows.append([f"`{action}`", *quotas, NOTES.get(action) or operations[action]])
    return LIMITS.format(table=_make_table(rows))


def make_problems() -> str:
    """Return the page of all problem codes."""
    problems = sorted(_find_problems(Problem), key=lambda one: (one.status, one.code))
    rows = [
        ["status", "code", "what is wrong", "what to do"],
        *([str(one.status), f"`{one.code}`", one.title, one.detail] for one in problems),
    ]
    return PROBLEMS.format(table=_make_table(rows))


def _find_problems(kind: type[Problem]) -> set[type[Problem]]:
    found: set[type[Problem]] = set()
    for child in kind.__subclasses__():
        found |= {child} | _find_problems(child)
    return {child for child in found if child.__module__.startswith("api.")}


def _find_limited_operations() -> dict[Action, str]:
    """Return of each action that dependencies count the operations that have them."""
    found: dict[Action, list[str]] = {}
    for router in ROUTERS:
        for route in router.routes:
            if not isinstance(route, APIRoute):
                continue
            for dependency in route.dependant.dependencies:
                if action := getattr(dependency.call, "action", None):
                    found.setdefault(action, []).append(f"`{route.name}`")
    return {action: ", ".join(names) for action, names in found.items()}


def _describe_quota(quota: Quota | None) -> str:
    return f"{quota.limit} in {_describe_window(quota.window)}" if quota else "log in"


def _describe_window(seconds: int) -> str:
    for size, name in ((3600, "h"), (60, "min")):
        if seconds % size == 0:
            return f"{seconds // size} {name}"
    return f"{seconds} s"


def _make_table(rows: list[list[str]]) -> str:
    head, *body = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([head, "|" + "---|" * len(rows[0]), *body])


if __name__ == "__main__":
    for page, text in make_pages().items():
        (FOLDER / page).write_text(text, encoding="utf-8")
