"""Every error that is not one of our problems becomes one here: validation, routing, defects."""

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match

from api.kit.http.problem_responses import make_problem_response
from api.kit.problems import (
    InternalError,
    MalformedRequest,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    Problem,
    UnsupportedMediaType,
    ValidationFailed,
)

log = structlog.get_logger(__name__)

# A body of 64 KiB can hold thousands of faults; nobody reads more than these.
MAX_ERRORS = 50
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")

_OF_STATUS: dict[int, type[Problem]] = {
    problem.status: problem
    for problem in (
        MalformedRequest,
        NotFound,
        MethodNotAllowed,
        PayloadTooLarge,
        UnsupportedMediaType,
    )
}


def install_problem_handlers(app: FastAPI) -> None:
    """Make the app answer every error as a problem."""
    app.add_exception_handler(Problem, _answer_problem)
    app.add_exception_handler(RequestValidationError, _answer_validation)
    app.add_exception_handler(HTTPException, _answer_http)


def make_internal_error_response(request: Request) -> Response:
    """Return the answer to an exception that nobody expected."""
    return make_problem_response(InternalError(), request)


async def _answer_problem(request: Request, error: Exception) -> Response:
    if not isinstance(error, Problem):
        raise error
    return make_problem_response(error, request)


async def _answer_validation(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    faults = error.errors()
    if any(fault["type"] == "json_invalid" for fault in faults):
        return make_problem_response(MalformedRequest(), request)
    if any(fault["loc"][0] == "path" for fault in faults):
        # An id that is none leads nowhere, like an id of nothing.
        return make_problem_response(NotFound(), request)
    errors = [
        {
            "pointer": "".join(f"/{_escape(part)}" for part in fault["loc"]),
            "code": fault["type"],
            "detail": fault["msg"].removeprefix("Value error, "),
        }
        for fault in faults[:MAX_ERRORS]
    ]
    return make_problem_response(ValidationFailed(errors=errors), request)


async def _answer_http(request: Request, error: Exception) -> Response:
    """Answer what the framework refuses: no route, wrong method, a body too large."""
    if not isinstance(error, HTTPException):
        raise error
    problem = _OF_STATUS.get(error.status_code)
    if problem is None:
        log.error("unexpected_http_exception", status=error.status_code)
        problem = InternalError
    headers = error.headers or {}
    if problem is MethodNotAllowed:
        headers = {"Allow": ", ".join(_find_methods(request))}
    return make_problem_response(problem(headers=tuple(headers.items())), request)


def _find_methods(request: Request) -> list[str]:
    """Return the methods of a path. The framework names only those of the first route there."""
    return [
        method
        for method in _METHODS
        if any(
            route.matches({**request.scope, "method": method})[0] is Match.FULL
            for route in request.app.routes
        )
    ]


def _escape(part: object) -> str:
    """Escape one token of a JSON pointer (RFC 6901), bounded: a key of the body is client text."""
    return str(part)[:100].replace("~", "~0").replace("/", "~1")
