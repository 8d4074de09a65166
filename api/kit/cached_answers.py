"""Answers from the cache: the right coding, the right tag, and 304 from the version alone."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from uuid import UUID

from fastapi import Request, Response

from api.kit.cache import FORMAT, Built
from api.kit.conditional import matches_etag
from api.kit.edge import KEPT, Kept
from api.kit.encoding import choose_coding
from api.kit.problems import Problem
from api.kit.services import Services


async def answer_cached(
    request: Request,
    services: Services,
    subject: UUID,
    parameters: str,
    build: Callable[[], Awaitable[Built]],
    *,
    min_version: int = 0,
    too_new: type[Problem],
) -> Response:
    """Answer what `build` makes of a subject, from wherever its newest version is at hand.

    Raises `too_new` when even the database has no `min_version`, and whatever `build` raises.
    """
    pointer = await services.cache.point(subject)
    if pointer.version is not None and pointer.version < min_version:
        # Redis has not heard of the client's own write: only the database can tell.
        pointer = replace(pointer, version=None)
    seen = request.headers.get("if-none-match")
    if pointer.version is not None and matches_etag(seen, make_tag(pointer.version)):
        return _answer_unchanged(request, subject, pointer.version)
    entry = await services.cache.read(subject, parameters, build, pointer)
    if entry.version < min_version:
        raise too_new
    if matches_etag(seen, make_tag(entry.version)):
        return _answer_unchanged(request, subject, entry.version)
    coding = choose_coding(request.headers.get("accept-encoding", ""))
    body = entry.peek(coding)
    if body is None:
        # Milliseconds, once an answer and coding; zlib lets go of the interpreter meanwhile.
        body = await asyncio.to_thread(entry.make, coding)
        services.cache.recount(subject, parameters, entry)
    request.scope[KEPT] = Kept(subject, entry.version)
    headers = {"ETag": make_tag(entry.version), "Vary": "Accept-Encoding"}
    if coding != "identity":
        headers["Content-Encoding"] = coding
    return Response(body, media_type="application/json", headers=headers)


def make_tag(version: int) -> str:
    """Return the entity tag of a version: weak, since each coding has other bytes."""
    return f'W/"{FORMAT}.{version}"'


def _answer_unchanged(request: Request, subject: UUID, version: int) -> Response:
    request.scope[KEPT] = Kept(subject, version)
    return Response(status_code=304, headers={"ETag": make_tag(version), "Vary": "Accept-Encoding"})
