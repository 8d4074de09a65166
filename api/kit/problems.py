"""Problems: every error of the service is one of these classes.

They know nothing of HTTP messages: `api.kit.http.problem_responses` renders them (RFC 9457).
"""

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

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
                "detail": "This must not be empty.",
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
