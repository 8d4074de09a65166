"""Load: requests in, figures out; by wrk where it can, otherwise by the generator of this package.

wrk repeats one request as fast as responses come, and costs next to nothing. The package's own
generator (`load_client`), a process of its own too, knows weights, bodies and fixed rates; it
measures what wrk can't: mixes, writes, and latencies at a load that does not wait for responses.
"""

import json
import resource
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.servers import HOST, Server, pin

# Seconds that a load may take beyond its time before it is given up.
_GRACE = 30.0
# What a load process uses of its core when it, and not the server, is the bottleneck.
_BUSY = 0.95
# The first letters of statuses that are no failure: 2xx, 3xx, "ok" and "stuck".
_GOOD = "23os"
_WRK_SCRIPT = Path(__file__).with_name("wrk.lua")


@dataclass(frozen=True, slots=True)
class Request:
    """One kind of request. `tag` is what its latencies are counted under."""

    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "GET"
    body: str | None = None
    weight: float = 1.0
    tag: str = "read"


@dataclass(frozen=True, slots=True)
class Latencies:
    """Of one tag, in milliseconds."""

    count: int
    p50: float
    p90: float
    p99: float
    max: float


@dataclass(frozen=True, slots=True)
class Load:
    """What a load found."""

    rate: float
    requests: int
    # Connections that broke, and responses that could not be parsed.
    errors: int
    # By status; wrk knows only those below 400 ("ok") and others ("refused"). "stuck" are those
    # who had waited for more than a second when the time was over; they count as latencies.
    statuses: dict[str, int]
    bytes_per_response: float
    latencies: dict[str, Latencies]
    # Shares of one core that the server's process and the load's used.
    server_share: float
    load_share: float

    @property
    def failed(self) -> int:
        """Return how many requests failed."""
        good = sum(n for status, n in self.statuses.items() if status[0] in _GOOD)
        return self.errors + sum(self.statuses.values()) - good

    @property
    def microseconds(self) -> float:
        """Return the processor time of the server for one response, which others disturb least."""
        return 1e6 * self.server_share / self.rate

    @property
    def is_bounded_by_load(self) -> bool:
        """Tell whether the load could not have asked faster."""
        return self.load_share > _BUSY > self.server_share


@cache
def find_wrk() -> str | None:
    """Return where wrk is, if it is."""
    return shutil.which("wrk")


def run_load(
    server: Server,
    requests: Sequence[Request],
    *,
    seconds: float,
    core: int | None,
    connections: int = 32,
    rate: float | None = None,
) -> Load:
    """Ask a server for some seconds: as fast as it responds, or at `rate` requests a second.

    One plain request goes through wrk where it is installed. Raises RuntimeError when the load
    itself fails.
    """
    wrk = find_wrk()
    plain = len(requests) == 1 and requests[0].method == "GET" and rate is None
    server_before, load_before = server.cpu_seconds, _children_seconds()
    if wrk is not None and plain:
        found = _run_wrk(wrk, server, requests[0], int(max(1, seconds)), connections, core)
    else:
        spec = {
            "port": server.port,
            "connections": connections,
            "seconds": seconds,
            "rate": rate,
            "requests": [asdict(request) for request in requests],
        }
        found = run_json("benchmarks.load_client", spec, seconds=seconds, core=core)
    elapsed = found["seconds"]
    lasted = found.get("lasted", elapsed)
    load_share = found.get("cpu_seconds", _children_seconds() - load_before) / elapsed
    return Load(
        rate=found["requests"] / elapsed,
        requests=found["requests"],
        errors=found["errors"],
        statuses=found["statuses"],
        bytes_per_response=found["bytes"] / max(1, found["requests"]),
        latencies={tag: Latencies(**values) for tag, values in found["latencies"].items()},
        server_share=(server.cpu_seconds - server_before) / lasted,
        load_share=load_share,
    )


def run_json(
    module: str, spec: Mapping[str, Any], *, seconds: float, core: int | None
) -> dict[str, Any]:
    """Run a module as a process: its input is `spec`, its output the response, both as JSON.

    Raises RuntimeError with its last words, also when it takes far longer than `seconds`.
    """
    words = _run(
        [sys.executable, "-m", module], core=core, seconds=seconds, text=json.dumps(dict(spec))
    )
    found: dict[str, Any] = json.loads(words)
    return found


def _run_wrk(
    wrk: str, server: Server, request: Request, seconds: int, connections: int, core: int | None
) -> dict[str, Any]:
    headers = [f"-H{name}: {value}" for name, value in request.headers.items()]
    url = f"http://{HOST}:{server.port}{request.target}"
    options = [
        "-t1",
        f"-c{connections}",
        f"-d{seconds}s",
        "--timeout",
        "20s",
        "-s",
        str(_WRK_SCRIPT),
        *headers,
    ]
    words = _run([wrk, *options, url], core=core, seconds=seconds)
    found = json.loads(words.rpartition("JSON ")[2])
    refused = found["statuses"]
    milliseconds = {name: found[name] / 1000 for name in ("p50", "p90", "p99", "max")}
    return {
        **found,
        "seconds": found["microseconds"] / 1e6,
        "statuses": {"ok": found["requests"] - refused, "refused": refused},
        "latencies": {request.tag: {"count": found["requests"], **milliseconds}},
    }


def _run(command: Sequence[str], *, core: int | None, seconds: float, text: str = "") -> str:
    """Run a program; return its output. Raises RuntimeError."""
    try:
        done = subprocess.run(
            pin(command, core),
            input=text,
            capture_output=True,
            text=True,
            timeout=seconds + _GRACE,
            check=True,
            cwd=Path(__file__).parent.parent,
        )
    except subprocess.TimeoutExpired as error:
        raise RuntimeError(f"{command[0]} took more than {error.timeout:.0f} s") from error
    except subprocess.CalledProcessError as error:
        last = "\n".join(error.stderr.splitlines()[-8:])
        raise RuntimeError(f"{' '.join(command[:3])} failed:\n{last}") from error
    return done.stdout


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
