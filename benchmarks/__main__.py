"""`python -m benchmarks`: measure, print the table, and keep it when the run was a full one."""

import argparse
import sys
import time
from contextlib import ExitStack

import structlog

from api.kit.logs import configure_logging
from api.kit.settings import Settings
from benchmarks.bench import FULL, QUICK, Bench
from benchmarks.engines import running_engines
from benchmarks.report import Result, describe_machine, keep, write_json, write_markdown
from benchmarks.rows import ROWS, Row
from benchmarks.rows.uncached import SMALL
from benchmarks.servers import Pinning, running_worker, serving_palaver

_SIZES = [SMALL, 10_000, 100_000, 1_000_000]
_QUICK_SIZES = [SMALL, 10_000, 100_000]
_MEBIBYTE = 1024**2

log = structlog.get_logger(__name__)


def main() -> None:
    """Run what the arguments ask for; exit 1 when a row could not be measured."""
    arguments = _read_arguments()
    # The table alone goes to standard output.
    configure_logging(Settings(log_level="error"))
    began = time.monotonic()
    sizes = _QUICK_SIZES if arguments.quick else _SIZES
    rows = [row for row in ROWS if not arguments.only or row.key in arguments.only]
    pinning = Pinning.choose()
    with ExitStack() as stack:
        engines = stack.enter_context(running_engines(sizes, _tell))
        stack.enter_context(running_worker(engines))
        service = stack.enter_context(serving_palaver(engines, pinning.server))
        timing = QUICK if arguments.quick else FULL
        bench = Bench(engines, pinning, timing, max(sizes), service)
        machine = describe_machine(bench)
        results = [_try(row, bench) for row in rows]
    is_full = not arguments.quick and rows == list(ROWS)
    remark = "" if is_full else "Not a run of record: shorter, on less data, or not all rows."
    minutes = (time.monotonic() - began) / 60
    markdown = write_markdown(machine, results, largest=max(sizes), remark=remark, minutes=minutes)
    print(markdown)
    keep(markdown, write_json(machine, results), is_full=is_full)
    sys.exit(any(result.finding is None for result in results))


def _try(row: Row, bench: Bench) -> Result:
    """Measure a row; what goes wrong in it is its result, and the run goes on."""
    _tell(f"{row.key} ...")
    began = time.monotonic()
    try:
        result = Result(row, row.measure(bench), None)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is shown in the row
        result = Result(row, None, f"{type(error).__name__}: {error}".replace("\n", " "))
    code = bench.service.process.poll()
    if code is not None:
        # The rows after this one fail, too: responses of a process that died are no result.
        _tell(f"The service has ended with code {code}: {bench.service.log}")
    else:
        bench.memory.append((row.key, round(bench.service.resident_bytes / _MEBIBYTE, 1)))
    _tell(f"{row.key}: {result.measured} in {time.monotonic() - began:.0f} s")
    return result


def _tell(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def _read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="about two minutes, 100,000 comments at most"
    )
    parser.add_argument(
        "--only",
        action="append",
        choices=[row.key for row in ROWS],
        metavar="ROW",
        help=f"only this row, may be repeated: {', '.join(row.key for row in ROWS)}",
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
