"""Answers from the cache: the right coding, the right tag, and 304 from the version alone.

What comes through here may be kept by anybody: it is public, the same for everybody, and its
`parameters` name everything that it depends on.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from uuid import UUID

from fastapi import Request, Response

from api.kit.cache import FORMAT, Pointer
from api.kit.conditional import matches_etag
from api.kit.edge import KEPT, Kept
from api.kit.encoding import choose_coding
from api.kit.local_cache import Built, Entry
from api.kit.pagination import link_next
from api.kit.problems import Problem
from api.kit.services import Services


class VersionNotReached(Problem):
    """The client asks for a version that the thread does not have yet."""

    status = 409
    code = "version_not_reached"
    title = "The thread has no such version yet"
    detail = "Send in min_version only a version that an answer of this article gave you."


async def answer_cached(
    request: Request,
    services: Services,
    subject: UUID,
    parameters: str,
    build: Callable[[], Awaitable[Built]],
    *,
    pointer: Pointer,
    min_version: int = 0,
) -> Response:
    """Answer what `build` makes of a subject, from wherever its newest version is at hand.

    Raises VersionNotReached when even the database has no `min_version`, and what `build` raises.
    """
    if pointer.version is not None and pointer.version < min_version:
        # Redis has not heard of the client's own write: only the database can tell.
        pointer = replace(pointer, version=None)
    seen = request.headers.get("if-none-match")
    if pointer.version is not None and seen != "*":
        tag = make_tag(pointer.version)
        if matches_etag(seen, tag):
            return _answer_unchanged(request, subject, pointer.version, tag)
    entry = await services.cache.read(subject, parameters, build, pointer)
    if entry.version < min_version:
        raise VersionNotReached
    tag = entry.etag or make_tag(entry.version)
    if matches_etag(seen, tag):
        return _answer_unchanged(request, subject, entry.version, tag)
    response = await _answer_entry(request, entry, tag)
    services.cache.recount(subject, parameters, entry)
    request.scope[KEPT] = Kept(subject, entry.version)
    return response


async def _answer_entry(request: Request, entry: Entry, tag: str) -> Response:
    # A tag of its own is strong, and stands for these very bytes.
    accepted = "" if entry.etag else request.headers.get("accept-encoding", "")
    coding = choose_coding(accepted)
    body = entry.peek(coding)
    if body is None:
        # Milliseconds, once an answer and coding; zlib lets go of the interpreter meanwhile.
        body = await asyncio.to_thread(entry.make, coding)
    headers = {"ETag": tag, "Vary": "Accept-Encoding"}
    if coding != "identity":
        headers["Content-Encoding"] = coding
    response = Response(body, media_type="application/json", headers=headers)
    link_next(request, response, entry.next_cursor)
    return response


def make_tag(version: int) -> str:
    """Return the entity tag of a version: weak, since each coding has other bytes."""
    return f'W/"{FORMAT}.{version}"'


def _answer_unchanged(request: Request, subject: UUID, version: int, tag: str) -> Response:
    request.scope[KEPT] = Kept(subject, version)
    return Response(status_code=304, headers={"ETag": tag, "Vary": "Accept-Encoding"})
