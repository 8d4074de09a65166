"""Entity tags: answers that a client need not fetch again, and edits that never overwrite unseen.

The tag of a single resource is `"<revision>-<digest of the answer>"`. Any other byte makes another
tag, so it is strong; `If-Match` is judged by the revision alone, so that a reply or a vote, which
changes the answer but not the text, does not make an edit fail (docs/decisions/0005).
"""

import hashlib
import re
from typing import Annotated, Any, Final

from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel

from api.kit.problems import Problem, declares

_REVISION = re.compile(r'"([0-9]{1,9})-[0-9a-f]{16}"')
_TAG = re.compile(r'(?:W/)?"[^"]*"')

# The `responses=` of a route that answers If-None-Match.
UNCHANGED: Final[dict[int | str, dict[str, Any]]] = {
    304: {"description": "Not modified: If-None-Match has the current tag."}
}


class PreconditionRequired(Problem):
    """An edit without If-Match."""

    status = 428
    code = "precondition_required"
    title = "Say which version you change"
    detail = "Send the ETag of the resource as you read it in If-Match."


class PreconditionFailed(Problem):
    """An edit of a version that is no longer the newest."""

    status = 412
    code = "precondition_failed"
    title = "It was changed meanwhile"
    detail = "Read the resource again, and send its new ETag in If-Match."


class ExpectedRevision(int):
    """The revision that a client saw; `ANY` when it sent `If-Match: *`."""


ANY = ExpectedRevision(-1)


@declares(PreconditionRequired, PreconditionFailed)
async def require_if_match(
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
    if if_match.strip() == "*":
        return ANY
    match = _REVISION.fullmatch(if_match.strip())
    if match is None:
        raise PreconditionFailed
    return ExpectedRevision(match[1])


IfMatch = Annotated[ExpectedRevision, Depends(require_if_match)]


def check_revision(expected: ExpectedRevision, actual: int) -> None:
    """Raise PreconditionFailed unless the client saw the revision that it is about to change."""
    if expected not in (ANY, actual):
        raise PreconditionFailed


def make_resource_response(
    request: Request, content: BaseModel, *, revision: int, status: int = 200
) -> Response:
    """Return a single resource with its tag, or 304 when the client has it already."""
    body = content.model_dump_json().encode()
    etag = make_etag(revision, body)
    if request.method == "GET" and matches_etag(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers={"ETag": etag})
    return Response(body, status_code=status, media_type="application/json", headers={"ETag": etag})


def make_etag(revision: int, body: bytes) -> str:
    """Return the strong tag of a single resource."""
    return f'"{revision}-{hashlib.blake2b(body, digest_size=8).hexdigest()}"'


def matches_etag(if_none_match: str | None, etag: str) -> bool:
    """Compare weakly, as If-None-Match does (RFC 9110, 13.1.2)."""
    if not if_none_match:
        return False
    if if_none_match.strip() == "*":
        return True
    wanted = etag.removeprefix("W/")
    return any(tag.removeprefix("W/") == wanted for tag in _TAG.findall(if_none_match[:4000]))
