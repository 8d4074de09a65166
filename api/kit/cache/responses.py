"""Answers from the cache: the right coding, the right tag, and 304 from the version alone.

What comes through here may be kept by anybody: it is public, the same for everybody, and its
`parameters` name everything that it depends on.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from uuid import UUID

from fastapi import Request, Response

from api.kit.cache.edge import CACHE_TAG, CacheTag
from api.kit.cache.local import CacheEntry, RenderedPage
from api.kit.cache.versioned import FORMAT, Pointer, VersionedCache
from api.kit.http.conditional import matches_etag
from api.kit.http.content_encoding import choose_content_encoding
from api.kit.http.pagination import link_next
from api.kit.problems import Problem


class VersionNotReached(Problem):
    """The client asks for a version that the thread does not have yet."""

    status = 409
    code = "version_not_reached"
    title = "The thread has no such version yet"
    detail = "Send in min_version only a version that an answer of this article gave you."


async def make_cached_response(
    request: Request,
    cache: VersionedCache,
    subject: UUID,
    parameters: str,
    build: Callable[[], Awaitable[RenderedPage]],
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
            return _make_not_modified(request, subject, pointer.version, tag)
    entry = await cache.read(subject, parameters, build, pointer)
    if entry.version < min_version:
        raise VersionNotReached
    tag = entry.etag or make_tag(entry.version)
    if matches_etag(seen, tag):
        return _make_not_modified(request, subject, entry.version, tag)
    response = await _make_response(request, entry, tag)
    cache.resize(subject, parameters, entry)
    request.scope[CACHE_TAG] = CacheTag(subject, entry.version)
    return response


async def _make_response(request: Request, entry: CacheEntry, tag: str) -> Response:
    # A tag of its own is strong, and stands for these very bytes.
    accepted = "" if entry.etag else request.headers.get("accept-encoding", "")
    coding = choose_content_encoding(accepted)
    body = entry.find_body(coding)
    if body is None:
        # Milliseconds, once an answer and coding; zlib lets go of the interpreter meanwhile.
        body = await asyncio.to_thread(entry.make_body, coding)
    headers = {"ETag": tag, "Vary": "Accept-Encoding"}
    if coding != "identity":
        headers["Content-Encoding"] = coding
    response = Response(body, media_type="application/json", headers=headers)
    link_next(request, response, entry.next_cursor)
    return response


def make_tag(version: int) -> str:
    """Return the entity tag of a version: weak, since each coding has other bytes."""
    return f'W/"{FORMAT}.{version}"'


def _make_not_modified(request: Request, subject: UUID, version: int, tag: str) -> Response:
    request.scope[CACHE_TAG] = CacheTag(subject, version)
    return Response(status_code=304, headers={"ETag": tag, "Vary": "Accept-Encoding"})
