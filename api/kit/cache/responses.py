"""Responses from the cache: the content encoding, the entity tag, and 304 from the version alone.

What comes through here may be stored by anybody: it is public, the same for everybody, and its
`parameters` name everything that it depends on.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from uuid import UUID

from fastapi import Request, Response

from api.kit.cache.edge import CACHE_TAG, CacheTag
from api.kit.cache.pages import CacheEntry, RenderedPage
from api.kit.cache.versioned import FORMAT, Pointer, VersionedCache
from api.kit.http.cacheability import COMPRESS_FROM
from api.kit.http.conditional import encode_etag, make_content_etag, matches_etag
from api.kit.http.content_encoding import ContentEncoding, choose_content_encoding
from api.kit.http.pagination import link_next
from api.kit.problems import Problem


class VersionNotReached(Problem):
    """The client asks for a version that the thread does not have yet."""

    status = 409
    code = "version_not_reached"
    title = "Version not reached"
    detail = "Send a min_version that a response about this article contained."


async def make_cached_response(
    request: Request,
    cache: VersionedCache,
    subject: UUID,
    parameters: str,
    build: Callable[[], Awaitable[RenderedPage]],
    *,
    pointer: Pointer,
    min_version: int = 0,
    media_type: str = "application/json",
) -> Response:
    """Respond with what `build` makes of a subject, from the nearest place that has it.

    Raises VersionNotReached when even the database has no `min_version`, and what `build` raises.
    """
    if pointer.version is not None and pointer.version < min_version:
        # Redis has not heard of the client's own write: only the database can tell.
        pointer = replace(pointer, version=None)
    if_none_match = request.headers.get("if-none-match")
    if pointer.version is not None and if_none_match != "*":
        etag = make_version_etag(pointer.epoch, pointer.version)
        if matches_etag(if_none_match, etag):
            _tag_for_edge(request, subject, pointer, pointer.version)
            return _make_not_modified(etag)
    entry = await cache.read(subject, parameters, build, pointer)
    if min_version and not entry.is_at_least(min_version):
        raise VersionNotReached
    etag = entry.etag or _make_etag(pointer.epoch, entry)
    _tag_for_edge(request, subject, pointer, entry.version)
    if matches_etag(if_none_match, etag):
        return _make_not_modified(encode_etag(etag, _choose_encoding(request, entry)))
    return await _make_response(request, entry, etag, media_type)


def make_version_etag(epoch: str, version: int) -> str:
    """Return the entity tag of a version: weak, since each content encoding has other bytes."""
    return f'W/"{FORMAT}.{epoch}.{version}"'


def _make_etag(epoch: str, entry: CacheEntry) -> str:
    if entry.version is None:
        # No pointer, so no version: only the contents tell one list from another.
        return f"W/{make_content_etag(entry.make_body('identity'))}"
    return make_version_etag(epoch, entry.version)


def _tag_for_edge(request: Request, subject: UUID, pointer: Pointer, version: int | None) -> None:
    """Let the edge store the response, unless nothing may be cached now."""
    if pointer.can_store and version is not None:
        request.scope[CACHE_TAG] = CacheTag(pointer.epoch, subject, version)


def _choose_encoding(request: Request, entry: CacheEntry) -> ContentEncoding:
    # A single resource has the same encoding, and so the same tag, as when it is not cached.
    if entry.etag and len(entry.make_body("identity")) < COMPRESS_FROM:
        return "identity"
    return choose_content_encoding(request.headers.get("accept-encoding", ""))


async def _make_response(
    request: Request, entry: CacheEntry, etag: str, media_type: str
) -> Response:
    encoding = _choose_encoding(request, entry)
    body = entry.find_body(encoding)
    if body is None:
        # Milliseconds, once for a page and encoding; zlib releases the interpreter meanwhile.
        body = await asyncio.to_thread(entry.make_body, encoding)
    headers = {"ETag": encode_etag(etag, encoding), "Vary": "Accept-Encoding"}
    if encoding != "identity":
        headers["Content-Encoding"] = encoding
    response = Response(body, media_type=media_type, headers=headers)
    link_next(request, response, entry.next_cursor)
    return response


def _make_not_modified(etag: str) -> Response:
    return Response(status_code=304, headers={"ETag": etag, "Vary": "Accept-Encoding"})
