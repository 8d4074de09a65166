"""A thread file to import, and how `palaver import` does it."""

import copy
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from api.kit.services import Services
from api.transfer.service import ImportReport, import_thread
from api.transfer.thread_file import parse_thread_file
from tests.client import Client

SLUG = "a-footbridge-for-the-two-towns"

_THREAD: dict[str, Any] = {
    "about": "What nobody asks for is ignored.",
    "article": {
        "title": "A footbridge for the two towns",
        "author": "Ana Lima Duarte",
        "published_on": "2019-05-04",
        "body": "The councils met on **Friday**.\n\nThey agreed on a footbridge.",
    },
    "comments": [
        {
            "n": 1,
            "author": "Jo",
            "replies_to": None,
            "body": "Who pays? @Kim Larsen may know.",
        },
        {
            "n": 2,
            "author": "Kim Larsen",
            "replies_to": 1,
            "body": "@Jo…. I guess both towns do …\n\nYou ask “who pays” and I say `@Jo` does….",
        },
        {"n": 3, "author": None, "replies_to": 2, "body": "Kim L: I have to agree.\n\n“Both do”"},
        {"n": 4, "author": None, "replies_to": 2, "body": "@Kim Larsen\n\n“Both towns do”\n\nNo."},
        {"n": 5, "author": None, "replies_to": 2, "body": "Kim Larsen, people do not care."},
        {
            "n": 6,
            "author": "riverwatch",
            "formerly": "oldname7",
            "replies_to": None,
            "body": "BTW: I was “oldname7” before.",
        },
        {
            "n": 7,
            "author": None,
            "replies_to": None,
            "body": "Ana wrote: “They agreed.” mail@jo.eu",
        },
        {"n": 8, "author": None, "replies_to": 2, "body": "Kim Larsen,\n\nYou seem to think so."},
    ],
}

BringIn = Callable[[dict[str, Any]], Awaitable[ImportReport]]
CountRows = Callable[[], Awaitable[tuple[int, ...]]]


@pytest.fixture
def thread() -> dict[str, Any]:
    """A thread of eight comments, as somebody who reads the page would write it down."""
    return copy.deepcopy(_THREAD)


@pytest.fixture
def bring_in(client: Client, services: Services, tmp_path: Path) -> BringIn:
    """Return what `palaver import` does with a file that holds a thread."""

    async def bring_in(thread: dict[str, Any]) -> ImportReport:
        path = tmp_path / "thread.json"
        path.write_text(json.dumps(thread), encoding="utf-8")
        async with services.unit_of_work() as uow:
            return await import_thread(uow, parse_thread_file(path))

    return bring_in


@pytest.fixture
def count_rows(services: Services) -> CountRows:
    """Return how many rows each table has that an import writes."""
    tables = ("users", "handles", "articles", "comments", "comment_mentions", "events")
    counts = ", ".join(f"(SELECT count(*) FROM {table})" for table in tables)

    async def count() -> tuple[int, ...]:
        async with services.database.read_session() as session:
            return tuple((await session.execute(text(f"SELECT {counts}"))).one())

    return count
