"""What is printed: the table for people, the same for machines, and the machine it is true of."""

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from benchmarks.bench import Bench
from benchmarks.engines import DATA_DIR
from benchmarks.load import find_wrk
from benchmarks.rows import Finding, Row

_FOLDER = Path(__file__).parent
_GIBIBYTE = 1024**3


@dataclass(frozen=True, slots=True)
class Result:
    """A row that was tried: what it found, or why it found nothing."""

    row: Row
    finding: Finding | None
    failure: str | None

    @property
    def measured(self) -> str:
        """Return the value as it is printed."""
        return "failed" if self.finding is None else self.row.show(self.finding.value)

    @property
    def verdict(self) -> str:
        """Return whether the target was reached; nothing is claimed that was not measured."""
        if self.finding is None:
            return "not measured"
        if self.finding.is_refuted or not self.row.is_reached(self.finding.value):
            return "**no**"
        return "yes" if self.finding.unproven is None else f"not shown: {self.finding.unproven}"


def describe_machine(bench: Bench) -> dict[str, str]:
    """Return what the figures depend on, measured before anything else runs."""
    memory = psutil.virtual_memory().total / _GIBIBYTE
    wrk = "wrk where one plain request repeats, else" if find_wrk() else "no wrk found:"
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "commit": _find_commit(),
        "processor": f"{_find_processor()}, {os.cpu_count()} cores",
        "memory": f"{memory:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "postgresql": bench.engines.postgres_version,
        "valkey": bench.engines.valkey_version,
        "load": f"{wrk} the generator of this package",
        "placement": bench.pinning.describe(),
        "load average at start": f"{os.getloadavg()[0]:.1f}",
    }


def write_markdown(
    machine: dict[str, str], results: Sequence[Result], *, largest: int, remark: str, minutes: float
) -> str:
    """Return the table, and below it what each row's value is made of."""
    lines = [f"# Benchmark of {machine['date']}", ""]
    lines += [remark, ""] if remark else []
    lines += ["| what | measured | target | reached |", "|---|---|---|---|"]
    for result in results:
        what = result.row.what.format(largest=f"{largest:,}")
        lines.append(f"| {what} | {result.measured} | {result.row.target} | {result.verdict} |")
    lines += ["", "What each value is made of (medians of three alternating segments):", ""]
    for result in results:
        note = result.finding.note if result.finding else f"failed: {result.failure}"
        lines.append(f"- `{result.row.key}`: {note}")
    lines += ["", "| machine | |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in machine.items()]
    lines += ["", f"Took {minutes:.1f} minutes. How it is measured: [README.md](README.md).", ""]
    return "\n".join(lines)


def write_json(machine: dict[str, str], results: Sequence[Result]) -> str:
    """Return the same for machines, with every sample."""
    rows: list[dict[str, Any]] = [
        {
            "key": result.row.key,
            "target": result.row.target,
            "figure": result.row.figure,
            "value": result.finding and result.finding.value,
            "verdict": result.verdict.strip("*"),
            "note": result.finding.note if result.finding else result.failure,
            "samples": dict(result.finding.samples) if result.finding else {},
        }
        for result in results
    ]
    return json.dumps({"machine": machine, "rows": rows}, indent=1) + "\n"


def keep(markdown: str, as_json: str, *, is_full: bool) -> None:
    """Write the results: those of record in this folder, of any other run beside its data."""
    if is_full:
        (_FOLDER / "RESULTS.md").write_text(markdown, encoding="utf-8")
        (_FOLDER / "results.json").write_text(as_json, encoding="utf-8")
    else:
        (DATA_DIR / "results.json").write_text(as_json, encoding="utf-8")


def _find_commit() -> str:
    """Return the commit, and whether the tree differs from it."""
    commands = (["git", "rev-parse", "--short=12", "HEAD"], ["git", "status", "--porcelain"])
    try:
        commit, changes = (
            subprocess.run(
                command, capture_output=True, text=True, check=True, cwd=_FOLDER, timeout=10
            ).stdout.strip()
            for command in commands
        )
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return f"{commit} with uncommitted changes" if changes else commit


def _find_processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, None) or platform.processor() or platform.machine()
