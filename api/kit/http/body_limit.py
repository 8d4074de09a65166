"""A bound on request bodies, enforced while one is read.

FastAPI has a limit of its own, but it is outside every other middleware. It refuses a request with
a long Content-Length in plain text, without a request id, and after the operation was carried out:
a DELETE with a body of 65 kB deleted, and got 413.
"""

from collections.abc import Mapping
from types import MappingProxyType

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY_BYTES = 64 * 1024


class BodyLimit:
    """ASGI middleware: reading more than `max_bytes` raises an HTTPException of status 413.

    A body that no operation reads is ignored: the server drops it.
    """

    def __init__(
        self,
        app: ASGIApp,
        max_bytes: int = MAX_BODY_BYTES,
        exceptions: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        """Bound bodies to `max_bytes`, or to what `exceptions` says of a path."""
        self._app = app
        self._max_bytes = max_bytes
        self._exceptions = exceptions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on a request, with its body bounded."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "")
        # A body declared as too long is refused before it is read. Twenty digits tell enough.
        size = int(declared[:20]) if declared.isdecimal() else 0
        received = 0
        max_bytes = self._exceptions.get(scope["path"], self._max_bytes)

        async def receive_within_limit() -> Message:
            nonlocal received
            if size > max_bytes:
                raise HTTPException(413)
            message = await receive()
            received += len(message.get("body", b""))
            if received > max_bytes:
                raise HTTPException(413)
            return message

        await self._app(scope, receive_within_limit, send)
