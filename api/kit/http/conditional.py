"""Entity tags: responses that a client need not fetch again, and edits that never overwrite unseen.

The tag of a single resource is `"<revision>-<digest of the resource>-<digest of the body>"`. Any
other byte makes another tag, so it is strong. `If-Match` is decided by the first two, so that a
reply or a vote, which changes the body but not the text, does not make an edit fail. The digest of
the resource covers its kind, its id and the epoch of the database (docs/decisions/0005).

A resource in a list has no body of its own to digest: its tag, for `If-Match` only, is
`"<revision>-<digest of epoch and kind>-<id>"`.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final, NamedTuple
from uuid import UUID

from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel

from api.kit.db.database import DatabaseUnavailable
from api.kit.db.epoch import EpochReader
from api.kit.http.content_encoding import ContentEncoding
from api.kit.problems import Problem, declares

_STRONG_ETAG = re.compile(r'"([0-9]{1,9})-([0-9a-f]{16})-[0-9a-f]{16}(?:-(?:gzip|zstd))?"')
_REVISION_ETAG = re.compile(r'"([0-9]{1,9})-([0-9a-f]{16}-[0-9a-f-]{36})"')
_ENCODED = re.compile(r'-(?:gzip|zstd)"$')
_ETAG = re.compile(r'(?:W/)?"[^"]*"')

# The `responses=` of a route that supports If-None-Match.
UNCHANGED: Final[dict[int | str, dict[str, Any]]] = {
    304: {"description": "Not modified: If-None-Match has the current tag."}
}


class PreconditionRequired(Problem):
    """An edit without If-Match."""

    status = 428
    code = "precondition_required"
    title = "If-Match required"
    detail = "Get the resource, and send its ETag in If-Match."


class PreconditionFailed(Problem):
    """An edit of a revision that is no longer the newest, or of another resource."""

    status = 412
    code = "precondition_failed"
    title = "If-Match does not match"
    detail = "Get the resource again, and send its new ETag in If-Match."


class Resource(NamedTuple):
    """What an entity tag is of: "comment" and its id."""

    kind: str
    id: UUID


@dataclass(frozen=True, slots=True)
class ExpectedRevision:
    """The revision that a client saw, of which resource; both are None for `If-Match: *`."""

    epoch: str
    revision: int | None
    resource_digest: str | None


@declares(PreconditionRequired, PreconditionFailed, DatabaseUnavailable)
async def require_if_match(
    request: Request,
    if_match: Annotated[
        str | None,
        Header(max_length=200, description="The ETag of the resource as you got it. Required."),
    ] = None,
) -> ExpectedRevision:
    """Return the revision named by If-Match.

    Raises PreconditionRequired without the header, PreconditionFailed when its tag is none of ours.
    """
    if if_match is None:
        raise PreconditionRequired
    return parse_if_match(await get_epoch(request), if_match)


def parse_if_match(epoch: str, if_match: str) -> ExpectedRevision:
    """Return the revision that a tag or `*` names. Raises PreconditionFailed for any other text."""
    tag = if_match.strip()
    if tag == "*":
        return ExpectedRevision(epoch, None, None)
    match = _STRONG_ETAG.fullmatch(tag) or _REVISION_ETAG.fullmatch(tag)
    if match is None:
        raise PreconditionFailed
    return ExpectedRevision(epoch, int(match[1]), match[2])


IfMatch = Annotated[ExpectedRevision, Depends(require_if_match)]


def check_revision(expected: ExpectedRevision, resource: Resource, revision: int) -> None:
    """Raise PreconditionFailed unless the client saw the revision that it is about to change.

    A tag of another resource, or from before the database was restored, is refused as well.
    """
    if expected.revision is None:
        return
    digest = _digest_resource(expected.epoch, resource)
    in_list = f"{_digest_kind(expected.epoch, resource.kind)}-{resource.id}"
    if expected.revision != revision or expected.resource_digest not in (digest, in_list):
        raise PreconditionFailed


async def make_resource_response(
    request: Request, content: BaseModel, *, resource: Resource, revision: int, status: int = 200
) -> Response:
    """Return a single resource with its tag."""
    body = content.model_dump_json().encode()
    etag = make_etag(await get_epoch(request), resource, revision, body)
    return Response(body, status_code=status, media_type="application/json", headers={"ETag": etag})


async def get_epoch(request: Request) -> str:
    """Return the epoch of the database. Raises DatabaseUnavailable."""
    reader: EpochReader = request.app.state.services.epoch
    return (await reader.get()).value


def make_etag(epoch: str, resource: Resource, revision: int, body: bytes) -> str:
    """Return the strong tag of a single resource."""
    return f'"{revision}-{_digest_resource(epoch, resource)}-{_digest(body)}"'


def make_revision_etags(epoch: str, kind: str) -> Callable[[str, int], str]:
    """Return how to make the tags of resources in a list, from their ids and revisions.

    They are for `If-Match`. A page has up to a thousand: nothing is hashed for each.
    """
    of_kind = _digest_kind(epoch, kind)
    return lambda resource_id, revision: f'"{revision}-{of_kind}-{resource_id}"'


def make_content_etag(body: bytes) -> str:
    """Return the strong tag of contents that have no version."""
    return f'"{_digest(body)}"'


def _digest_resource(epoch: str, resource: Resource) -> str:
    return _digest(f"{epoch} {resource.kind} {resource.id}".encode())


def _digest_kind(epoch: str, kind: str) -> str:
    return _digest(f"{epoch} {kind}".encode())


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=8).hexdigest()


def matches_etag(if_none_match: str | None, etag: str) -> bool:
    """Compare weakly, as If-None-Match does (RFC 9110, 13.1.2)."""
    if not if_none_match:
        return False
    if if_none_match.strip() == "*":
        return True
    wanted = _to_plain_etag(etag)
    return any(_to_plain_etag(tag) == wanted for tag in _ETAG.findall(if_none_match[:4000]))


def encode_etag(etag: str, encoding: ContentEncoding) -> str:
    """Return the tag of a body in a content encoding: a strong one stands for its very bytes."""
    if encoding == "identity" or etag.startswith("W/"):
        return etag
    return f'{etag[:-1]}-{encoding}"'


def _to_plain_etag(etag: str) -> str:
    """Return a tag as if it were strong and that of the body that is not compressed."""
    return _ENCODED.sub('"', etag.removeprefix("W/"))
