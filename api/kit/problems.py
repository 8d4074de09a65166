"""Problems: every error of the service is one of these, answered as RFC 9457 problem+json."""

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar
from urllib.parse import quote

import orjson
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:palaver:problem:"
_UNAUTHORIZED = 401

Called = TypeVar("Called", bound=Callable[..., Any])


class Problem(Exception):  # noqa: N818 - problems are named by what is wrong
    """What is wrong, and what the client can do about it.

    Subclasses set `status`, `code` (stable: clients branch on it), `title` (the same each time) and
    a default `detail`. An instance may give its own detail and further members.
    """

    status: ClassVar[int]
    code: ClassVar[str]
    title: ClassVar[str]
    # Further members, as the document shows them.
    example: ClassVar[dict[str, Any]] = {}
    detail: str
    headers: tuple[tuple[str, str], ...] = ()

    def __init__(
        self,
        detail: str | None = None,
        *,
        headers: tuple[tuple[str, str], ...] = (),
        **members: Any,
    ) -> None:
        super().__init__(detail or self.detail)
        self.detail = detail or self.detail
        self.headers = (*self.headers, *headers)
        self.members = members

    def to_response(self, request: Request) -> Response:
        """Return the answer; it never repeats what the client sent, but for the path."""
        content = {
            "type": TYPE_PREFIX + self.code,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            # The scope has it decoded; this is a URI reference again.
            "instance": quote(request.scope["path"]),
            "code": self.code,
            "request_id": request.scope.get("palaver.request_id", ""),
            **self.members,
        }
        response = Response(orjson.dumps(content), status_code=self.status, media_type=MEDIA_TYPE)
        if self.status == _UNAUTHORIZED:
            # RFC 9110, 15.5.2: not without saying how to authenticate.
            response.headers["WWW-Authenticate"] = "Bearer"
        for name, value in self.headers:
            response.headers[name] = value
        return response


class ProblemError(BaseModel):
    """One fault of a request that did not validate."""

    model_config = ConfigDict(title="ProblemError")

    pointer: str = Field(
        description="Where: a JSON pointer that begins with body, query, path or header.",
        examples=["/body/title"],
    )
    code: str = Field(description="What kind of fault, stable.", examples=["string_too_short"])
    detail: str = Field(description="What is wrong, for people.")


class ProblemRead(BaseModel):
    """The shape of every error (RFC 9457)."""

    model_config = ConfigDict(title="Problem", extra="allow")

    type: str = Field(examples=["urn:palaver:problem:article_not_found"])
    title: str = Field(description="The same for each problem of a code.")
    status: int = Field(ge=400, le=599)
    detail: str = Field(description="What is wrong this time, and what to do.")
    instance: str = Field(
        description="The path that was asked for.", json_schema_extra={"format": "uri-reference"}
    )
    code: str = Field(description="Stable: branch on this.")
    request_id: str = Field(description="Name it when you report the problem.")
    errors: list[ProblemError] = Field(
        default_factory=list, description="With `validation_failed`: each fault and where it is."
    )


class MalformedRequest(Problem):
    """The request cannot be read at all."""

    status = 400
    code = "malformed_request"
    title = "The request cannot be read"
    detail = (
        "Send well-formed JSON in UTF-8: without NaN, lone surrogates or NUL characters, with each "
        "name once in an object, and not hundreds of levels deep."
    )


class NotAuthenticated(Problem):
    """No credentials, or ones that are no longer good."""

    status = 401
    code = "not_authenticated"
    title = "Log in first"
    detail = "Send an access token from POST /v1/sessions as 'Authorization: Bearer ...'."


class NotFound(Problem):
    """Nothing is at this path."""

    status = 404
    code = "not_found"
    title = "Nothing is here"
    detail = "No resource answers at this path. See /docs for those that do."


class MethodNotAllowed(Problem):
    """The path exists, the method does not."""

    status = 405
    code = "method_not_allowed"
    title = "This method is not available here"
    detail = "The Allow header lists the methods of this path."


class PayloadTooLarge(Problem):
    """The body is larger than what any operation takes."""

    status = 413
    code = "payload_too_large"
    title = "The body is too large"
    detail = "Send at most 64 KiB."


class UnsupportedMediaType(Problem):
    """The body is not plain JSON."""

    status = 415
    code = "unsupported_media_type"
    title = "The body is not plain JSON"
    detail = "Send 'Content-Type: application/json' and no Content-Encoding."


class ValidationFailed(Problem):
    """The body or a parameter does not validate."""

    status = 422
    code = "validation_failed"
    title = "The request does not validate"
    detail = "See `errors` for each fault and where it is."
    example: ClassVar[dict[str, Any]] = {
        "errors": [
            {
                "pointer": "/body/title",
                "code": "string_too_short",
                "detail": "String should have at least 1 character",
            }
        ]
    }


class InternalError(Problem):
    """A defect of ours."""

    status = 500
    code = "internal_error"
    title = "Something went wrong on our side"
    detail = "Nothing was changed. Report the request_id if it happens again."


def declares(*problems: type[Problem]) -> Callable[[Called], Called]:
    """Say which problems a dependency raises, so that each route that uses it documents them."""

    def mark(function: Called) -> Called:
        function.problems = problems  # type: ignore[attr-defined]  # read by routing.Route
        return function

    return mark


def problems(*classes: type[Problem]) -> dict[int | str, dict[str, Any]]:
    """Return the `responses=` of a route that raises these problems."""
    responses: dict[int | str, dict[str, Any]] = {}
    for problem in classes:
        entry = responses.setdefault(
            problem.status,
            {
                "description": "",
                "content": {
                    MEDIA_TYPE: {
                        "schema": {"$ref": "#/components/schemas/Problem"},
                        "examples": {},
                    }
                },
            },
        )
        examples = entry["content"][MEDIA_TYPE]["examples"]
        if problem.code in examples:
            continue
        entry["description"] += (" " if entry["description"] else "") + f"{problem.title}."
        examples[problem.code] = {
            "summary": problem.title,
            "value": {
                "type": TYPE_PREFIX + problem.code,
                "title": problem.title,
                "status": problem.status,
                "detail": problem.detail,
                "instance": "/v1/...",
                "code": problem.code,
                "request_id": "0198f2c5-6f7a-7c3e-9d2b-3a1f5e8c7b60",
                **problem.example,
            },
        }
        if any(name == "Retry-After" for name, _ in problem.headers):
            entry["headers"] = {"Retry-After": {"$ref": "#/components/headers/Retry-After"}}
    return responses
