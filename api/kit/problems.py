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
    title = "Malformed request"
    detail = (
        "Send well-formed JSON in UTF-8, without NaN, lone surrogates or NUL characters, without "
        "duplicate names in an object, and without hundreds of levels of nesting."
    )


class NotAuthenticated(Problem):
    """No credentials, or ones that are not valid."""

    status = 401
    code = "not_authenticated"
    title = "Not authenticated"
    detail = (
        "Log in with POST /v1/sessions, and send the access token as 'Authorization: Bearer ...'."
    )


class NotFound(Problem):
    """Nothing is at this path."""

    status = 404
    code = "not_found"
    title = "Not found"
    detail = "Check the path. All paths are listed at /docs."


class MethodNotAllowed(Problem):
    """The path exists, the method does not."""

    status = 405
    code = "method_not_allowed"
    title = "Method not allowed"
    detail = "Use one of the methods listed in the Allow header."


class PayloadTooLarge(Problem):
    """The body is larger than what any operation takes."""

    status = 413
    code = "payload_too_large"
    title = "Body too large"
    detail = "Send at most 64 KiB."


class UnsupportedMediaType(Problem):
    """The body is not plain JSON."""

    status = 415
    code = "unsupported_media_type"
    title = "Unsupported media type"
    detail = "Send JSON with 'Content-Type: application/json' and without a Content-Encoding."


class ValidationFailed(Problem):
    """The body or a parameter does not validate."""

    status = 422
    code = "validation_failed"
    title = "Invalid request"
    detail = "Correct what is listed in `errors`."
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
    """A defect of the service."""

    status = 500
    code = "internal_error"
    title = "Internal error"
    detail = "Nothing was changed. If it happens again, report the request_id."


def declares(*problems: type[Problem]) -> Callable[[Called], Called]:
    """Say which problems a dependency raises, so that each route that uses it documents them."""

    def mark(function: Called) -> Called:
        function.problems = problems  # type: ignore[attr-defined]  # read by routing.Route
        return function

    return mark
