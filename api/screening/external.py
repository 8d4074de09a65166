"""What services outside say of a text: a check of the site's own, and a spam score.

Both are asked before the request takes a database connection, at the same time, and have two
seconds. Without a response the text passes, or is held if `PALAVER_SCREENING_FAILS=closed`.
"""

import asyncio
import json
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus
from urllib.parse import urlencode
from uuid import UUID

import structlog

from api.kit.db.ids import make_id
from api.kit.http.outgoing import OutgoingClient, OutgoingError
from api.kit.http.signed_messages import sign_message
from api.kit.services import Services
from api.kit.settings import Settings
from api.screening.verdict import Finding
from models import Phase, RuleAction

log = structlog.get_logger(__name__)

# Seconds.
TIMEOUT = 2.0
# Code points of what a service gives as its reason.
MAX_REASON = 200
_ACTIONS = {action.value: action for action in RuleAction if action is not RuleAction.ALLOW}
_PUBLISH = "publish"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalText:
    """A text as services outside get it."""

    kind: str
    title: str | None
    body: str
    author_id: UUID
    author_handle: str
    author_name: str
    is_newcomer: bool
    # Of the client, or of its network.
    address: str
    user_agent: str


def is_configured(settings: Settings) -> bool:
    """Return whether any service is asked."""
    return settings.screening_url is not None or settings.akismet_key is not None


async def ask(services: Services, text: ExternalText) -> Sequence[Finding]:
    """Return what the services say that the settings name; never raises OutgoingError."""
    settings = services.settings
    client = replace(services.outgoing, timeout=TIMEOUT, max_response=16 * 1024)
    asked: list[Awaitable[Finding | None]] = []
    if settings.screening_url is not None:
        check = _check(client, settings, text, services.clock.now())
        asked.append(_guard(settings, Phase.EXTERNAL_CHECK, check))
    if settings.akismet_key is not None:
        asked.append(_guard(settings, Phase.SPAM_SCORE, _score(client, settings, text)))
    return [finding for finding in await asyncio.gather(*asked) if finding is not None]


async def _guard(
    settings: Settings, phase: Phase, asking: Awaitable[Finding | None]
) -> Finding | None:
    """Return what a service says; without a usable response what the settings say."""
    try:
        return await asking
    except (OutgoingError, ValueError) as error:
        log.warning("screening_service_failed", phase=phase.value, reason=str(error)[:MAX_REASON])
    if settings.screening_fails == "closed":
        return Finding(phase=phase, action=RuleAction.HOLD, rule="no response in time")
    return None


async def _check(
    client: OutgoingClient, settings: Settings, text: ExternalText, now: datetime
) -> Finding | None:
    """Ask the site's own service. Raises OutgoingError or ValueError."""
    body = json.dumps(
        {
            "kind": text.kind,
            "title": text.title,
            "body": text.body,
            "author": {
                "id": str(text.author_id),
                "handle": text.author_handle,
                "is_newcomer": text.is_newcomer,
            },
        }
    ).encode()
    secret = settings.screening_secret.get_secret_value() if settings.screening_secret else ""
    signature = sign_message([secret], message_id=str(make_id()), sent_at=now, body=body)
    headers = {"Content-Type": "application/json", **signature}
    response = await client.send("POST", settings.screening_url or "", headers=headers, body=body)
    if response.status != HTTPStatus.OK:
        raise OutgoingError(f"status {response.status}")
    verdict = json.loads(response.body)
    action = verdict.get("action") if isinstance(verdict, dict) else None
    if action == _PUBLISH:
        return None
    if action not in _ACTIONS:
        raise ValueError("no known action")
    reason = verdict.get("reason")
    words = f"check: {reason}" if isinstance(reason, str) and reason.isprintable() else "check"
    return Finding(phase=Phase.EXTERNAL_CHECK, action=_ACTIONS[action], rule=words[:MAX_REASON])


async def _score(client: OutgoingClient, settings: Settings, text: ExternalText) -> Finding | None:
    """Ask for a spam score (https://akismet.com/developers/comment-check). Raises OutgoingError."""
    fields = {
        "api_key": settings.akismet_key.get_secret_value() if settings.akismet_key else "",
        "blog": settings.akismet_site or "",
        "user_ip": text.address,
        "user_agent": text.user_agent,
        "comment_type": "blog-post" if text.kind == "article" else "reply",
        "comment_author": text.author_name,
        "comment_content": "\n\n".join(part for part in (text.title, text.body) if part),
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded", "User-Agent": "Palaver/1.0"}
    response = await client.send(
        "POST", settings.akismet_url, headers=headers, body=urlencode(fields).encode()
    )
    verdict = response.body.strip()
    if response.status != HTTPStatus.OK or verdict not in (b"true", b"false"):
        raise OutgoingError(f"status {response.status}")
    if verdict == b"false":
        return None
    # What Akismet is sure of.
    hint = {name.lower(): value for name, value in response.headers.items()}
    is_sure = hint.get("x-akismet-pro-tip") == "discard"
    action = RuleAction.REJECT if is_sure else RuleAction.HOLD
    return Finding(phase=Phase.SPAM_SCORE, action=action, rule="spam")
