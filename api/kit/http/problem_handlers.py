"""Every error that is not one of our problems becomes one here: validation, routing, defects."""

from collections.abc import Collection

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route

from api.kit.http.problem_responses import MAX_ERRORS, describe_error, make_problem_response
from api.kit.http.validation_messages import describe_fault
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

# In the order in which the Allow header lists them.
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

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
    """Make the app respond to every error with a problem."""
    app.add_exception_handler(Problem, _handle_problem)
    app.add_exception_handler(RequestValidationError, _handle_validation_error)
    app.add_exception_handler(HTTPException, _handle_http_exception)


def make_internal_error_response(request: Request) -> Response:
    """Return the response to an unexpected exception."""
    return make_problem_response(InternalError(), request)


async def _handle_problem(request: Request, error: Exception) -> Response:
    if not isinstance(error, Problem):
        raise error
    return make_problem_response(error, request)


async def _handle_validation_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    faults = error.errors()
    if any(fault["type"] == "json_invalid" for fault in faults):
        return make_problem_response(MalformedRequest(), request)
    if any(fault["loc"][0] == "path" for fault in faults):
        # An id that is not valid is like an id that nothing has.
        return make_problem_response(NotFound(), request)
    errors = [
        describe_error(
            fault["loc"],
            fault["type"],
            describe_fault(fault["type"], fault.get("ctx", {}), fault["msg"]),
        )
        for fault in faults[:MAX_ERRORS]
    ]
    return make_problem_response(ValidationFailed(errors=errors), request)


async def _handle_http_exception(request: Request, error: Exception) -> Response:
    """Handle what the framework refuses: no route, wrong method, a body too large."""
    if not isinstance(error, HTTPException):
        raise error
    headers = error.headers or {}
    if error.status_code == MethodNotAllowed.status:
        known = headers.get("Allow", "").split(", ")
        headers = {"Allow": ", ".join(_find_methods(request, known))}
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=headers)
    problem = _OF_STATUS.get(error.status_code)
    if problem is None:
        log.error("unexpected_http_exception", status=error.status_code)
        problem = InternalError
    return make_problem_response(problem(headers=tuple(headers.items())), request)


def _find_methods(request: Request, known: Collection[str]) -> list[str]:
    """Return the methods of a path. `known` are those of the first route there, or of its files.

    Where a fixed path and one with a parameter match, such as `/sessions/refresh` and
    `/sessions/{session_id}`, the fixed one counts.
    """
    found = [
        (route.path.count("{"), route.methods)
        for route in request.app.routes
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE
    ]
    fewest = min((parameters for parameters, _ in found), default=0)
    methods = {"OPTIONS", *(() if found else known)}.union(
        *(one or () for parameters, one in found if parameters == fewest)
    )
    if "GET" in methods:
        methods.add("HEAD")
    return [method for method in _METHODS if method in methods]
