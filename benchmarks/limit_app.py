"""The limit: a bare ASGI application that sends given bytes from memory, and does nothing else.

It runs on the service's own HTTP server with the service's own settings, so what is between it and
the service is the service's work alone. Run as `python -m benchmarks.limit_app RESPONSES`.
"""

import json
import sys
from base64 import b64decode
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from fastapi import FastAPI
from starlette.types import Message, Receive, Scope, Send

from api.cli.server import listening, run_server
from api.kit.settings import Settings

_Response = tuple[Message, Message]

_UNKNOWN: _Response = (
    {"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]},
    {"type": "http.response.body", "body": b""},
)


class LimitApp:
    """Sends the response of a method and target."""

    def __init__(self, responses: dict[tuple[str, bytes], _Response]) -> None:
        self._responses = responses
        # Where the HTTP server notes that it is about to end.
        self.state = SimpleNamespace()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to one request, after its body where it has one."""
        if scope["type"] == "lifespan":
            await _follow_lifespan(receive, send)
            return
        target = scope["raw_path"]
        if scope["query_string"]:
            target += b"?" + scope["query_string"]
        start, body = self._responses.get((scope["method"], target), _UNKNOWN)
        if scope["method"] != "GET":
            while (await receive()).get("more_body"):
                pass
        await send(start)
        await send(body)


async def _follow_lifespan(receive: Receive, send: Send) -> None:
    while True:
        phase = (await receive())["type"]
        await send({"type": f"{phase}.complete"})
        if phase == "lifespan.shutdown":
            return


def read_responses(path: Path) -> dict[tuple[str, bytes], _Response]:
    """Return the messages of each response, ready to be sent."""
    rows: list[dict[str, Any]] = json.loads(path.read_text())
    return {
        (row["method"], row["target"].encode()): (
            {
                "type": "http.response.start",
                "status": row["status"],
                "headers": [(name.encode(), value.encode()) for name, value in row["headers"]],
            },
            {"type": "http.response.body", "body": b64decode(row["body"])},
        )
        for row in rows
    }


if __name__ == "__main__":
    limit_app = LimitApp(read_responses(Path(sys.argv[1])))
    # The server asks of an app only that it is one, and has a state.
    settings = Settings()
    with listening(settings) as socket:
        run_server(cast("FastAPI", limit_app), socket, "The limit server is ready.", settings)
