"""Bounds on connections: bytes of a request's head, time to send a request, how many are open.

uvicorn's HTTP protocol with what it leaves to a proxy. It has no limit on the head of a request,
and collects a URL or a header in time that grows with the square of its length: one client could
stop a process. It waits without end for a request that does not come, and keeps every connection.

What a GET costs beyond uvicorn: two comparisons of numbers, and one look at its header names.
Seconds are counted by `check_progress`, which the server calls once a second, so no request reads a
clock or sets a timer; and time in which the event loop stood still is not held against clients.
"""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network
from operator import countOf, itemgetter
from typing import Any

import structlog
from httptools import HttpParserError, HttpParserUpgrade
from starlette.requests import Request
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from api.kit.db.ids import make_request_id
from api.kit.http.client_address import LOCAL, is_trusted_peer, subject_of
from api.kit.http.envelope import SAFE_HEADERS
from api.kit.http.problem_responses import make_problem_response
from api.kit.metrics import CONNECTIONS_EVICTED, REQUESTS
from api.kit.problems import MalformedRequest, Problem

log = structlog.get_logger(__name__)

# Request line and header lines together; also what may arrive of a body without any content
# (lengths and extensions of chunks, trailers).
MAX_HEAD_BYTES = 64 * 1024
# Requests that a client may send before it has the response to the first of them.
MAX_PIPELINED = 32
# A body may take this many times the timeout in all: 64 KiB at 1 KiB a second, by default.
_BODY_FACTOR = 6
# Seconds. A refused client may still be sending: data that nobody reads would reset the connection
# before it has seen the response.
_LINGER_SECONDS = 2
# Seconds that a client has to receive the rest of a response after the connection was closed.
_CLOSE_SECONDS = 60
# A client may leave a full buffer (64 KiB) unread for this many times the timeout.
_UNREAD_FACTOR = 3
# Seconds without a byte of a request's body, once the server is shutting down.
_SHUTDOWN_SILENCE = 2

_get_name = itemgetter(0)
_start_request = HttpToolsProtocol.on_headers_complete


class HeadersTooLarge(Problem):
    """The head of a request is larger than any that a client needs."""

    status = 431
    code = "headers_too_large"
    title = "The URL and the headers are too large"
    detail = "Send at most 64 KiB of URL and headers together."


class RequestTimeout(Problem):
    """The client began a request and did not send the rest of it."""

    status = 408
    code = "request_timeout"
    title = "The request did not arrive in time"
    detail = "Send the whole request without pauses, and use a new connection."


class TooManyConnections(Problem):
    """So many connections are open, and so busy, that none can give way to another."""

    status = 503
    code = "too_many_connections"
    title = "Too many connections are open"
    detail = "Use open connections again, or try again in a few seconds."
    headers = (("Retry-After", "1"),)


class _UnacceptableError(Exception):
    """Raised inside the parser, which makes an invalid request of it."""


class Connections:
    """The open connections of a process, in the order in which they were opened.

    `total` bounds all of them, `per_address` those of one IPv4 address or IPv6 /64 network, except
    for `trusted` networks (proxies) and peers without an address (unix sockets).
    """

    def __init__(
        self, *, total: int, per_address: int, trusted: Sequence[IPv4Network | IPv6Network] = ()
    ) -> None:
        self._total = total
        self._per_address = per_address
        self._trusted = trusted
        self._all: dict[Connection, str] = {}
        self._by_address: dict[str, dict[Connection, None]] = {}

    def __len__(self) -> int:
        return len(self._all)

    def admit(self, connection: "Connection", peer: str | None) -> bool:
        """Take a new connection in, where necessary in exchange for one that waits for its client.

        False when there are too many, and all of them busy.
        """
        address = "" if is_trusted_peer(peer, self._trusted) else subject_of(peer or "")
        if address in ("", LOCAL):
            same: dict[Connection, None] = {}
        else:
            same = self._by_address.setdefault(address, {})
        if len(same) >= self._per_address and not self._evict_from(same):
            return False
        if len(self._all) >= self._total and not self._evict_from(self._all):
            return False
        self._all[connection] = address
        # Looked up again: the eviction may have removed the last one of this address.
        if address not in ("", LOCAL):
            self._by_address.setdefault(address, {})[connection] = None
        return True

    def remove(self, connection: "Connection") -> None:
        """Forget a connection; one that is not known is ignored."""
        address = self._all.pop(connection, "")
        same = self._by_address.get(address)
        if same is not None:
            same.pop(connection, None)
            if not same:
                del self._by_address[address]

    def check_progress(self) -> None:
        """Let each connection count a second; the server calls this once a second."""
        for connection in list(self._all):
            connection.check_progress()

    def _evict_from(self, candidates: "dict[Connection, Any]") -> bool:
        """Close the oldest connection for which nothing is being done; False when there is none.

        So silent connections, however many, never keep a request out.
        """
        for candidate in candidates:
            if candidate.awaits_client:
                self.remove(candidate)
                candidate.transport.close()
                CONNECTIONS_EVICTED.inc()
                return True
        return False


class Connection(HttpToolsProtocol):
    """One connection of a client, within bounds.

    `timeout` is in seconds: for the head of a request from its first byte (or the opening of the
    connection), and for a pause in its body.
    """

    # Python slows down objects of more than 30 attributes in a dict; uvicorn has most of those.
    __slots__ = (
        "_fault",
        "_is_refused",
        "_open",
        "_phase",
        "_room",
        "_seconds",
        "_silent_seconds",
        "_timeout",
    )

    # The newest request; uvicorn's annotation leaves out that there is none at first.
    cycle: RequestResponseCycle | None  # type: ignore[assignment]

    def __init__(self, *, connections: Connections, timeout: int, **options: Any) -> None:
        super().__init__(**options)
        self._open = connections
        self._timeout = timeout
        # Bytes that may arrive before a head is complete or a part of a body comes.
        self._room = MAX_HEAD_BYTES
        self._is_refused = False
        self._fault: Problem | None = None
        # What is waited for, for how many seconds, and for how many without a byte of a body.
        self._phase: tuple[str, object] = ("", None)
        self._seconds = 0
        self._silent_seconds = 0

    @property
    def awaits_client(self) -> bool:
        """Whether no response is under way: a request is awaited, or the rest of one."""
        return self.cycle is None or self.cycle.response_complete or self.cycle.more_body

    def connection_made(self, transport: Any) -> None:
        """Begin, unless there are too many connections."""
        super().connection_made(transport)
        if not self._open.admit(self, self.client[0] if self.client else None):
            self._refuse(TooManyConnections(), lingers=False)

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._open.remove(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what arrived, at most as much at once as a head may still grow.

        This is uvicorn's own method with the counting in it: calling that would cost 1 µs more.
        """
        timer = self.timeout_keep_alive_task
        if timer is not None:
            timer.cancel()
            self.timeout_keep_alive_task = None
        size = len(data)
        if size < self._room:
            self._room -= size
            self._parse(data)
            return
        while data and not self._is_refused:
            piece, data = data[: self._room], data[self._room :]
            self._room -= len(piece)
            self._parse(piece)
            if self._room == 0:
                self._refuse(HeadersTooLarge())

    def _parse(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except HttpParserError:
            self._refuse(self._fault or MalformedRequest("Send valid HTTP/1.1."))
        except HttpParserUpgrade:
            pass  # answered in HTTP/1.1, as if it had not asked for another protocol

    def on_headers_complete(self) -> None:
        """Start the request, unless it is one that RFC 9112 wants refused."""
        hosts = countOf(map(_get_name, self.headers), b"host")
        # HTTP/1.0 knows requests without Host, and old load balancers check servers with them.
        if hosts != 1 and (hosts > 1 or self.parser.get_http_version() != "1.0"):
            self._give_up("Use HTTP/1.1 and send one Host header.")
        if b"#" in self.url:
            self._give_up("Leave the fragment out of the URL.")
        if self.pipeline and len(self.pipeline) >= MAX_PIPELINED:
            self._give_up(f"Send at most {MAX_PIPELINED} requests before reading responses.")
        _start_request(self)
        self._room = MAX_HEAD_BYTES

    def on_chunk_header(self) -> None:
        """Keep trailers, which follow the last chunk, away from the headers of the request.

        Headers that came after the request was checked could say who is asking.
        """
        self.headers = []

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._room = MAX_HEAD_BYTES
        self._silent_seconds = 0
        super().on_body(body)

    def shutdown(self) -> None:
        """Finish what is under way, and close; do not wait long for half a request."""
        self._timeout = min(self._timeout, _SHUTDOWN_SILENCE)
        super().shutdown()

    def check_progress(self) -> None:
        """Count a second of waiting for the client; give up when it was too long."""
        phase = self._find_phase()
        if phase != self._phase:
            self._phase, self._seconds, self._silent_seconds = phase, 0, 0
        self._seconds += 1
        self._silent_seconds += 1
        match phase[0]:
            case "closing" if self._seconds > _CLOSE_SECONDS:
                self.transport.abort()
            case "lingering" if self._seconds > _LINGER_SECONDS:
                self.transport.close()
            case "head" if self._seconds > self._timeout:
                self._time_out(has_begun=self._room < MAX_HEAD_BYTES)
            case "body" if (
                self._silent_seconds > self._timeout or self._seconds > self._timeout * _BODY_FACTOR
            ):
                self._time_out(has_begun=True)
            case "unread" if self._seconds > self._timeout * _UNREAD_FACTOR:
                self.transport.abort()

    def _find_phase(self) -> tuple[str, object]:
        """Return what is waited for, and the request before it: each phase has its own time."""
        cycle = self.cycle
        if self.transport.is_closing():
            return "closing", None
        is_under_way = cycle is not None and not cycle.response_complete and not cycle.disconnected
        if self._is_refused:
            return ("app" if is_under_way else "lingering"), None
        if cycle is not None and cycle.more_body:
            # While the app does not read, the client cannot send.
            can_send = not (self.flow.read_paused or cycle.waiting_for_100_continue)
            return ("body" if can_send else "app"), cycle
        if is_under_way:
            return ("unread" if self.flow.write_paused else "app"), cycle
        if cycle is not None and self._room == MAX_HEAD_BYTES:
            return "idle", cycle  # which uvicorn ends, after 5 s
        return "head", cycle

    def _time_out(self, *, has_begun: bool) -> None:
        if has_begun:
            self._refuse(RequestTimeout())
        else:
            self.transport.close()

    def _give_up(self, detail: str) -> None:
        self._fault = MalformedRequest(detail)
        raise _UnacceptableError

    def _refuse(self, problem: Problem, *, lingers: bool = True) -> None:
        """Send a problem and close; where responses are under way, let them be the last."""
        if self._is_refused:
            return
        self._is_refused, self._room = True, 0
        self._unset_keepalive_if_required()
        cycle = self.cycle
        if cycle is None or cycle.response_complete:
            is_silent = True
        elif not cycle.more_body:
            # A response to an earlier request is under way: it is the last one.
            cycle.keep_alive = False
            return
        else:
            # The app is reading the request that is refused: it gets no more of it.
            cycle.disconnected = True
            cycle.message_event.set()
            is_silent = not (cycle.response_started or self.pipeline)
        if is_silent:
            self.transport.write(self._render(problem))
        if is_silent and lingers:
            self.transport.write_eof()
        else:
            self.transport.close()

    def _render(self, problem: Problem) -> bytes:
        """Return a whole response: no app has seen the request."""
        request_id = make_request_id().decode()
        # Its path may never have arrived.
        scope = {"type": "http", "path": "", "headers": [], "palaver.request_id": request_id}
        response = make_problem_response(problem, Request(scope))
        response.headers.update({**SAFE_HEADERS, "x-request-id": request_id})
        response.headers.update({"cache-control": "no-store", "connection": "close"})
        client = self.client[0] if self.client else None
        log.info("request_refused", code=problem.code, status=problem.status, client=client)
        REQUESTS.count("none", problem.status)
        lines = [*self.server_state.default_headers, *response.raw_headers]
        head = b"".join(b"%s: %s\r\n" % line for line in lines)
        return b"".join((STATUS_LINE[problem.status], head, b"\r\n", bytes(response.body)))
