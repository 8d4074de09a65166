"""Files that are no thread, or one that cannot be stored: a clear message, and no row."""

import json
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.kit.services import Services
from api.transfer import thread_file
from api.transfer.thread_file import ThreadFile, ThreadFileError, parse_thread_file
from tests.transfer.conftest import BringIn, CountRows

Thread = dict[str, Any]

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["article", "comments", "title", "n", "body", "published_on"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


def change_article(**fields: Any) -> Any:
    return lambda thread: thread["article"].update(fields)


def change_comment(number: int, /, **fields: Any) -> Any:
    return lambda thread: thread["comments"][number - 1].update(fields)


WRONG = {
    "no title": (
        lambda thread: thread["article"].pop("title"),
        "  article.title: Field required",
    ),
    "no article": (lambda thread: thread.pop("article"), "  article: Field required"),
    "no comments": (lambda thread: thread.pop("comments"), "  comments: Field required"),
    "no day": (change_article(published_on="spring"), "  article.published_on: Input should be"),
    "empty title": (change_article(title=" "), "  article.title: "),
    "direction": (change_article(author="a\u202eb"), "  article.author: Remove the text direction"),
    "long article": (change_article(body="x" * 20_001), "  article.body: .*at most 20000"),
    "long comment": (change_comment(4, body="x" * 10_001), "  comments.3.body: .*at most 10000"),
    "empty comment": (change_comment(4, body=" "), "  comments.3.body: "),
    "NUL": (change_comment(4, body="a\0"), "  comments.3.body: Remove the control characters"),
    "long name": (change_comment(4, author="x" * 65), "  comments.3.author: .*at most 64"),
    "no number": (change_comment(4, n="four"), "  comments.3.n: Input should be a valid integer"),
    "number 0": (change_comment(1, n=0), "  comments.0.n: .*greater than or equal to 1"),
    "twice": (change_comment(4, n=3), "comment 3 comes after comment 3. Number them in order"),
    "backwards": (change_comment(4, n=2), "comment 2 comes after comment 3. Number them"),
    "unknown": (change_comment(4, replies_to=77), "comment 4 replies to 77, which does not come"),
    "forward": (change_comment(4, replies_to=5), "comment 4 replies to 5, which does not come"),
    "itself": (change_comment(4, replies_to=4), "comment 4 replies to 4, which does not come"),
    "nobody": (change_comment(4, formerly="Jo"), "comment 4 has an earlier name but no author"),
    "too deep": (
        lambda thread: thread.update(
            comments=[
                {"n": n, "replies_to": n - 1 if n > 1 else None, "body": "x"} for n in range(1, 203)
            ]
        ),
        "comment 202 is more than 200 levels deep",
    ),
    "markup of a comment": (
        change_comment(4, body="> " * 100 + "x"),
        "comment 4 renders to too much",
    ),
    "markup of the article": (
        change_article(body="> " * 100 + "x"),
        "the article's text renders to too much",
    ),
    "the future": (change_article(published_on="2999-01-01"), "published_on is in the future"),
    "the end of time": (change_article(published_on="9999-12-31"), "is in the future"),
}


@pytest.mark.parametrize("wrong", WRONG)
async def test_what_is_wrong_is_told_and_leaves_no_row(
    thread: Thread, bring_in: BringIn, count_rows: CountRows, wrong: str
) -> None:
    spoil, message = WRONG[wrong]
    spoil(thread)
    with pytest.raises(ThreadFileError, match=message):
        await bring_in(thread)
    assert await count_rows() == (0, 0, 0, 0, 0, 0)


def test_the_deepest_thread_is_taken(tmp_path: Path, thread: Thread) -> None:
    thread["comments"] = [
        {"n": n, "replies_to": n - 1 if n > 1 else None, "body": "x"} for n in range(1, 202)
    ]
    path = tmp_path / "thread.json"
    path.write_text(json.dumps(thread))
    assert len(parse_thread_file(path).comments) == 201


async def test_today_is_the_last_day(services: Services, thread: Thread, bring_in: BringIn) -> None:
    today = services.clock.now().date()
    thread["article"]["published_on"] = (today + timedelta(days=1)).isoformat()
    with pytest.raises(ThreadFileError, match="published_on is in the future"):
        await bring_in(thread)
    for day in (today.isoformat(), "0001-01-01"):
        thread["article"]["published_on"] = day
        assert (await bring_in(thread)).added == 8


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b"\xff\xfe",
        b'{"article": NaN',
        b"[" * 100_000,
        b'"\\ud800"',
    ],
)
def test_what_is_no_json_object_is_no_thread_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "thread.json"
    path.write_bytes(content)
    with pytest.raises(ThreadFileError, match=f"{path} is not a thread file:\n  the file: "):
        parse_thread_file(path)


def test_what_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ThreadFileError, match=r"nothing\.json cannot be read: No such file"):
        parse_thread_file(tmp_path / "nothing.json")
    with pytest.raises(ThreadFileError, match="cannot be read: Is a directory"):
        parse_thread_file(tmp_path)
    large = tmp_path / "large.json"
    large.write_text("{}")
    monkeypatch.setattr(thread_file, "MAX_FILE", 1)
    with pytest.raises(ThreadFileError, match="has more than 1 bytes"):
        parse_thread_file(large)


def test_many_faults_are_told_a_few_at_a_time(tmp_path: Path, thread: Thread) -> None:
    thread["comments"] = [{}] * 1000
    path = tmp_path / "thread.json"
    path.write_text(json.dumps(thread))
    with pytest.raises(ThreadFileError) as caught:
        parse_thread_file(path)
    assert len(str(caught.value).splitlines()) == 11


@given(content=st.binary(max_size=200) | VALUES.map(lambda value: json.dumps(value).encode()))
def test_any_file_is_a_thread_or_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "thread.json"
    path.write_bytes(content)
    with suppress(ThreadFileError):
        assert isinstance(parse_thread_file(path), ThreadFile)
