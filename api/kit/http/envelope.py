"""What every response gets: a request id, safe headers, one log line, and a problem on failure."""

import re
import time
from collections.abc import Sequence
from urllib.parse import unquote_to_bytes

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.kit.db.ids import make_request_id
from api.kit.http.cacheability import NO_STORE
from api.kit.http.head_requests import SENT_METHOD
from api.kit.http.problem_handlers import make_internal_error_response
from api.kit.http.problem_responses import make_problem_response
from api.kit.http.responses import EXTRA_HEADERS, IS_STREAM
from api.kit.metrics import REQUEST_SECONDS, REQUESTS
from api.kit.problems import MalformedRequest, NotFound, Problem

log = structlog.get_logger(__name__)

# A client's id is repeated and logged, so only short and plain ones are accepted.
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
MAX_TARGET = 8192
# Letters, digits, "-", "." and "_", percent-encoded. "~" is left out: old encoders write it so.
_NEEDLESS_ESCAPE = re.compile(rb"%(?:2[dDeE]|3[0-9]|4[1-9a-fA-F]|5[0-9aAfF]|6[1-9a-fA-F]|7[0-9aA])")
# Characters of a path, in the log.
_MAX_LOGGED = 300

# On every response, whatever it is.
SAFE_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}
# Requested every few seconds by each load balancer: counted, and logged at debug level only.
_QUIET = frozenset({"read_liveness", "read_readiness", "read_metrics"})


class Envelope:
    """ASGI middleware around the app: request id, security and cache headers, metrics, log."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle an HTTP request; pass on anything else."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        sent = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
        request_id = choose_request_id(sent).decode()
        scope["palaver.request_id"] = request_id
        status = 0

        async def send_enveloped(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _add_headers(scope, message, request_id)
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, send_enveloped)
            finally:
                _account(scope, status, time.perf_counter() - began)


class SafetyNet:
    """ASGI middleware: responds to defects, and refuses targets that the app cannot process.

    It is inside the CORS middleware, so that pages of other origins can read these responses.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to an HTTP request whatever happens; pass on anything else."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        has_begun = False

        async def send_noting(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            refusal = _find_refusal(scope)
            if refusal is None:
                await self._app(scope, receive, send_noting)
            else:
                response = make_problem_response(refusal, Request(scope))
                await response(scope, receive, send_noting)
        except Exception:
            log.exception("request_failed", path=scope["path"][:_MAX_LOGGED])
            if has_begun:
                raise
            await make_internal_error_response(Request(scope))(scope, receive, send_noting)


def choose_request_id(sent: bytes) -> bytes:
    """Return the request id that the client sent if it is short and plain, else a new one."""
    return sent if _REQUEST_ID.fullmatch(sent) else make_request_id()


def _find_refusal(scope: Scope) -> Problem | None:
    """Return what is wrong with the target of a request."""
    if _is_malformed(scope):
        return MalformedRequest("Shorten the URL, encode it, and leave out %00.")
    if _is_spelled_otherwise(scope):
        return NotFound("Write letters, digits and -._/ in the path as they are.")
    return None


def _is_malformed(scope: Scope) -> bool:
    """Return whether the target is too long, or contains what fails further in.

    NUL, which PostgreSQL cannot compare; bytes beyond ASCII, which the framework decodes.
    """
    target = scope.get("raw_path", b"") + b"?" + scope["query_string"]
    return len(target) > MAX_TARGET or not target.isascii() or b"\0" in unquote_to_bytes(target)


def _is_spelled_otherwise(scope: Scope) -> bool:
    """Return whether the path is percent-encoded where that changes nothing.

    A path has one spelling, so that a proxy's rules for paths cannot be passed by another one:
    "/%6detrics" would pass a rule that refuses "/metrics". An encoded slash is data only in a
    parameter that takes slashes.
    """
    path: bytes = scope.get("raw_path", b"")
    if b"%" not in path:
        return False
    return _NEEDLESS_ESCAPE.search(path) is not None or (
        b"%2f" in path.lower() and not _takes_slashes(path, scope["app"].routes)
    )


def _takes_slashes(path: bytes, routes: Sequence[BaseRoute]) -> bool:
    return any(
        path.startswith(route.path.partition("{")[0].encode())
        for route in routes
        if isinstance(route, Route) and ":path}" in route.path
    )


def _add_headers(scope: Scope, message: Message, request_id: str) -> None:
    headers = MutableHeaders(scope=message)
    headers["x-request-id"] = request_id
    for name, value in scope.get(EXTRA_HEADERS, {}).items():
        headers[name] = value
    for name, value in SAFE_HEADERS.items():
        headers.setdefault(name, value)
    headers.setdefault("cache-control", NO_STORE)


def _account(scope: Scope, status: int, seconds: float) -> None:
    route = scope.get("route")
    operation = getattr(route, "name", None) or "none"
    REQUESTS.count(operation, status)
    if IS_STREAM not in scope:
        REQUEST_SECONDS.labels(operation).observe(seconds)
    write = log.debug if operation in _QUIET else log.info
    write(
        "request",
        method=scope.get(SENT_METHOD, scope["method"]),
        path=scope["path"][:_MAX_LOGGED],
        status=status,
        milliseconds=round(seconds * 1000, 1),
    )
