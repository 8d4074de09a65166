"""Single requests to a server: to prepare, to check, to capture for the limit server."""

import json
import tempfile
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any

from benchmarks.engines import DATA_DIR
from benchmarks.servers import HOST, Server, serving_module

# As browsers send it: the service chooses zstd.
BROWSER = {"Accept-Encoding": "gzip, deflate, br, zstd"}
PLAIN = {"Accept-Encoding": "identity"}
_SECONDS = 30.0
# Of the connection and the moment, not of the response: the HTTP server writes its own.
_NOT_KEPT = {"date", "connection"}


@dataclass(frozen=True, slots=True)
class CapturedResponse:
    """One response, byte for byte as it came."""

    method: str
    target: str
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        """Return a header's value. Raises KeyError."""
        return {key.lower(): value for key, value in self.headers}[name.lower()]

    @property
    def content(self) -> Any:
        """Return the JSON in the body."""
        return json.loads(self.body)


class Caller:
    """Asks one thing at a time, over one connection."""

    def __init__(self, server: Server) -> None:
        self._connection = HTTPConnection(HOST, server.port, timeout=_SECONDS)

    def ask(
        self,
        method: str,
        target: str,
        *,
        expected: int,
        headers: Mapping[str, str] | None = None,
        content: Any = None,
    ) -> CapturedResponse:
        """Return the response. Raises RuntimeError when its status is not the expected one."""
        body = None if content is None else json.dumps(content)
        sent = dict(headers or {}) | ({} if body is None else {"Content-Type": "application/json"})
        self._connection.request(method, target, body=body, headers=sent)
        response = self._connection.getresponse()
        read = response.read()
        if response.status != expected:
            raise RuntimeError(
                f"{method} {target} got {response.status} instead of {expected}: {read[:300]!r}"
            )
        kept = [(key, value) for key, value in response.getheaders() if key not in _NOT_KEPT]
        return CapturedResponse(method, target, response.status, kept, read)

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


@contextmanager
def calling(server: Server) -> Iterator[Caller]:
    """Hold a connection to a server."""
    with closing(Caller(server)) as caller:
        yield caller


def get(
    server: Server, target: str, headers: Mapping[str, str], *, expected: int = 200
) -> CapturedResponse:
    """Return the response to one GET. Raises RuntimeError when it has another status."""
    with calling(server) as caller:
        return caller.ask("GET", target, expected=expected, headers=headers)


@contextmanager
def serving_limit(responses: Iterable[CapturedResponse], core: int | None) -> Iterator[Server]:
    """Run the limit server on these responses."""
    rows = [
        {
            "method": response.method,
            "target": response.target,
            "status": response.status,
            "headers": response.headers,
            "body": b64encode(response.body).decode(),
        }
        for response in responses
    ]
    with tempfile.NamedTemporaryFile("w", suffix=".json", dir=DATA_DIR) as file:
        json.dump(rows, file)
        file.flush()
        with serving_module("limit_app", {}, core, file.name) as server:
            yield server


def count_nodes(nodes: Any) -> int:
    """Return how many comments stand in nested nodes, ours or the tutorial's."""
    count, waiting = 0, list(nodes)
    while waiting:
        replies = waiting.pop()["replies"]
        count += 1
        waiting.extend(replies["data"] if isinstance(replies, dict) else replies)
    return count
