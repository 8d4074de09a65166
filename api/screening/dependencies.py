"""Asks services outside about the text of a request, before it waits for anything of ours."""

from collections.abc import Sequence
from typing import Annotated, Any

import orjson
from fastapi import Depends, Request

from api.auth.actor import ActorKind, kind_of
from api.auth.dependencies import address_of, find_actor
from api.kit.dependencies import services_of
from api.screening.external import ExternalText, ask, is_configured
from api.screening.verdict import Finding

# As long as the longest text that any operation takes.
_MAX_TEXT = 20_000


async def ask_services(request: Request) -> Sequence[Finding]:
    """Return what services outside say of the `title` and `body` of a request.

    A dependency of its own, which routes list before those that take a turn or a connection.
    """
    services = services_of(request)
    if not is_configured(services.settings):
        return ()
    actor = await find_actor(request)
    text = _find_text(await request.body())
    # Without credentials the request is refused; staff is not screened.
    if actor is None or actor.is_staff or text is None:
        return ()
    title, body = text
    return await ask(
        services,
        ExternalText(
            kind="comment" if "/comments" in request.url.path else "article",
            title=title,
            body=body,
            author_id=actor.id,
            author_handle=actor.handle,
            author_name=actor.display_name,
            is_newcomer=kind_of(actor, services.clock.now()) is ActorKind.NEWCOMER,
            address=address_of(request),
            user_agent=request.headers.get("user-agent", "")[:500],
        ),
    )


def _find_text(content: bytes) -> tuple[str | None, str] | None:
    """Return the title and the text of a request; None where there is none to look at."""
    try:
        values: Any = orjson.loads(content)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(values, dict):
        return None
    title, body = values.get("title"), values.get("body")
    title = title if isinstance(title, str) else None
    body = body if isinstance(body, str) else ""
    if not (title or body) or len(title or "") + len(body) > _MAX_TEXT:
        return None
    return title, body


AskedServices = Depends(ask_services)
ExternalFindings = Annotated[Sequence[Finding], AskedServices]
