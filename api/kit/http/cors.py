"""Which web pages of other origins may call the API, and what their scripts may send and read."""

from typing import Final

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.kit.http.problem_responses import make_problem_response
from api.kit.problems import Problem
from api.kit.settings import Settings

ALLOWED_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
ALLOWED_HEADERS: Final = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "X-Request-Id",
)
EXPOSED_HEADERS: Final = (
    "ETag",
    "Idempotent-Replayed",
    "Link",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "X-Request-Id",
)
# Seconds for which a browser may keep the response to a preflight request.
MAX_AGE: Final = 600
# Pages that are served on the machine of the browser itself, such as a development server.
LOCAL_ORIGIN: Final = r"https?://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?"
_BAD_REQUEST = 400


class CorsRefused(Problem):
    """A preflight request for something that a page may not do."""

    status = 403
    code = "cors_refused"
    title = "Cross-origin request not allowed"
    detail = (
        "Send only the methods and headers listed in Access-Control-Allow-Methods and "
        "Access-Control-Allow-Headers."
    )


class Cors(CORSMiddleware):
    """Starlette's middleware with the rules of the settings; what it refuses is a problem."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        super().__init__(
            app,
            allow_origins=settings.cors_origins,
            allow_origin_regex=LOCAL_ORIGIN if settings.cors_allow_localhost else None,
            allow_methods=ALLOWED_METHODS,
            allow_headers=ALLOWED_HEADERS,
            expose_headers=EXPOSED_HEADERS,
            max_age=MAX_AGE,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a preflight request; add the CORS headers to any other response."""
        if scope["type"] == "http" and scope["method"] == "OPTIONS":
            headers = Headers(scope=scope)
            if "origin" in headers and "access-control-request-method" in headers:
                response = self._make_preflight_response(Request(scope))
                await response(scope, receive, send)
                return
        await super().__call__(scope, receive, send)

    def _make_preflight_response(self, request: Request) -> Response:
        response = self.preflight_response(request.headers)
        names = ("content-type", "content-length")
        headers = {name: value for name, value in response.headers.items() if name not in names}
        if response.status_code < _BAD_REQUEST:
            return Response(status_code=204, headers=headers)
        if self.is_allowed_origin(request.headers["origin"]):
            problem = CorsRefused(headers=tuple(headers.items()))
        else:
            problem = CorsRefused(
                "Pages of this origin may not call the API. Its operator can add the origin to "
                "PALAVER_CORS_ORIGINS.",
                headers=tuple(headers.items()),
            )
        return make_problem_response(problem, request)
