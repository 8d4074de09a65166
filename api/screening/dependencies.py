"""Asks services outside about the text of a request, before it waits for anything of ours."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import Depends, Request

from api.auth.actor import Actor, ActorKind, kind_of
from api.auth.dependencies import address_of, find_actor
from api.auth.policy import writes_as_staff
from api.kit.db.ids import make_id
from api.kit.dependencies import services_of
from api.screening.external import ExternalText, ask, is_configured
from api.screening.queries import find_place
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
    values = _parse_object(await request.body())
    text = _find_text(values)
    # Without credentials the request is refused; staff is not screened.
    if actor is None or text is None or writes_as_staff(await _place(request, actor, values)):
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


async def _place(request: Request, actor: Actor, values: dict[str, Any]) -> Actor:
    """Return the actor as they stand where the text will; it asks for local moderators only."""
    if not (actor.moderated_article_ids or actor.moderated_tags):
        return actor
    named = request.path_params
    async with services_of(request).database.read_session() as session:
        place = await find_place(
            session,
            article=named.get("article"),
            article_id=_parse_id(named.get("article")),
            comment_id=_parse_id(named.get("comment_id")),
            external_id=named.get("external_id"),
        )
    if place is None:
        # A new article: those who moderate one of its tags do so from the first.
        given = values.get("tags")
        tags = [tag for tag in given if isinstance(tag, str)] if isinstance(given, list) else []
        return actor.at(make_id(), tags)
    return actor.at(*place)


def _parse_id(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _parse_object(content: bytes) -> dict[str, Any]:
    """Return the JSON object of a request; an empty one where there is none."""
    try:
        values: Any = orjson.loads(content)
    except orjson.JSONDecodeError:
        return {}
    return values if isinstance(values, dict) else {}


def _find_text(values: dict[str, Any]) -> tuple[str | None, str] | None:
    """Return the title and the text of a request; None where there is none to look at."""
    title, body = values.get("title"), values.get("body")
    title = title if isinstance(title, str) else None
    body = body if isinstance(body, str) else ""
    if not (title or body) or len(title or "") + len(body) > _MAX_TEXT:
        return None
    return title, body


AskedServices = Depends(ask_services)
ExternalFindings = Annotated[Sequence[Finding], AskedServices]
