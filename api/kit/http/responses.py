"""Headers that a dependency adds to the response, whether of the route or of a problem."""

from collections.abc import Mapping

from starlette.requests import Request

# The key of the ASGI scope under which they wait for the envelope.
EXTRA_HEADERS = "palaver.headers"
# The key under which a response says that it is a stream, whose duration tells nothing.
IS_STREAM = "palaver.is_stream"


def add_headers(request: Request, headers: Mapping[str, str]) -> None:
    """Add headers to the response to this request."""
    request.scope.setdefault(EXTRA_HEADERS, {}).update(headers)
