"""Screening: word lists over a long text inside one process, and replies with it on and off."""

import time
from random import Random
from statistics import median, quantiles
from uuid import UUID

import asyncpg

from api.screening.matching import Entry, EntryKind, Matcher
from benchmarks.bench import Bench, describe_load
from benchmarks.load import Load
from benchmarks.measure import ROUNDS, Comparison
from benchmarks.rows.row import Finding

ENTRIES = 10_000
# Of these, patterns; the others are words.
_PATTERNS = 100
# Code points: the longest comment.
_LENGTH = 10_000
_REPEATS = 200
_CONNECTIONS = 16
_SECONDS_OF_REPEATS = 1
_CLEAR = """
DELETE FROM screening_rules;
UPDATE screening_settings SET rules_version = rules_version + 1, held_first_comments = 0,
  max_links = NULL, max_repeats = NULL, repeat_window_seconds = 3600
"""
# Every phase that asks the database for something, with bounds that the replies of a run keep.
_SWITCH_ON = f"""
UPDATE screening_settings SET rules_version = rules_version + 1, held_first_comments = 1,
  max_links = 3, max_repeats = 100, repeat_window_seconds = {_SECONDS_OF_REPEATS}
"""
_ADD = """
INSERT INTO screening_rules (id, kind, value, action, created_at, updated_at)
SELECT gen_random_uuid(), r.kind, r.value, 'hold', now(), now()
FROM unnest($1::text[], $2::text[]) AS r(kind, value)
"""


def make_entries() -> list[Entry]:
    """Return as many entries as the target speaks of: invented words, and some patterns."""
    random = Random(1)
    words: set[str] = set()
    while len(words) < ENTRIES:
        words.add("".join(random.choices("abcdefghijklmnopqrstuvwxyz", k=random.randint(5, 12))))
    values = sorted(words)
    return [
        Entry(UUID(int=number), EntryKind.PATTERN, f"{value}[0-9]+")
        if number < _PATTERNS
        else Entry(UUID(int=number), EntryKind.WORD, value)
        for number, value in enumerate(values)
    ]


def make_text() -> str:
    """Return a text of plain words, none of which is in a list, with some letters apart."""
    random = Random(2)
    words = ["the", "councils", "met", "on", "Friday,", "over", "a", "new", "bridge", "i.e.", "so"]
    text = ""
    while len(text) < _LENGTH:
        text += random.choice(words) + random.choice([" ", " ", " ", "\n"])
    return text[:_LENGTH]


def measure_screening(_: Bench) -> Finding:
    """Look for all entries in one text; nothing else runs in this process meanwhile."""
    matcher, text = Matcher(make_entries()), make_text()
    times: list[float] = []
    while len(times) < _REPEATS:
        began = time.perf_counter()
        found = matcher.find(text)
        times.append((time.perf_counter() - began) * 1000)
    if found:
        raise RuntimeError(f"{len(found)} entries were found in a text that has none")
    return Finding(
        value=median(times),
        note=f"{ENTRIES - _PATTERNS:,} words and {_PATTERNS} patterns over {_LENGTH:,} characters: "
        f"the median of {_REPEATS}; nine of ten took no more than "
        f"{quantiles(times, n=10)[-1]:.2f} ms.",
        samples={"milliseconds": times},
    )


def measure_screened_rate(bench: Bench) -> Finding:
    """Reply in 1,000 articles as fast as it goes, with screening off and on in turns."""
    places = bench.find_places("bench-small-%", 3)
    entries = make_entries()
    kinds, values = [one.kind.value for one in entries], [one.value for one in entries]

    async def switch_on(connection: asyncpg.Connection) -> None:
        async with connection.transaction():
            await connection.execute(_ADD, kinds, values)
            await connection.execute(_SWITCH_ON)

    async def switch_off(connection: asyncpg.Connection) -> None:
        async with connection.transaction():
            await connection.execute(_CLEAR)

    def run() -> Load:
        bench.settle()
        requests = bench.make_replies(places)
        seconds = bench.timing.writes
        return bench.load(bench.service, requests, seconds=seconds, connections=_CONNECTIONS)

    on, off = [], []
    try:
        for _ in range(ROUNDS):
            # Off first: so each writer has a published comment when the first ones are held.
            bench.engines.ask(switch_off)
            off.append(run())
            bench.engines.ask(switch_on)
            on.append(run())
    finally:
        bench.engines.ask(switch_off)
    rates = Comparison(tuple(one.rate for one in on), tuple(one.rate for one in off))
    with_it, without = rates.medians
    return Finding(
        value=rates.ratio,
        note=f"{with_it:,.0f}/s with {ENTRIES:,} entries, the first comment of a person held, and "
        f"links and repeats counted; {without:,.0f}/s without. Pairs from "
        f"{rates.range[0]:.2f} to {rates.range[1]:.2f}.",
        samples={
            "on": [describe_load(load, "service") for load in on],
            "off": [describe_load(load, "service") for load in off],
        },
    )
