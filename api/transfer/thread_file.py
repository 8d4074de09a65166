"""A thread as a file: one article, and its comments in order. JSON; docs/import.md describes it."""

from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from api.articles.schemas import Body as ArticleBody
from api.articles.schemas import Title
from api.comments.schemas import Body as CommentBody
from api.users.schemas import DisplayName
from models import MAX_DEPTH

# Bytes. A thread of 100,000 comments has some 100 MB.
MAX_FILE = 512 * 1024 * 1024


class ThreadFileError(Exception):
    """A file cannot be imported; the message says where and why."""


class ImportedArticle(BaseModel):
    """The article. What the page does not name is null."""

    model_config = ConfigDict(extra="ignore")

    title: Title
    author: DisplayName | None = None
    published_on: date
    body: ArticleBody = ""

    @property
    def published_at(self) -> datetime:
        """Return the beginning of the day, in UTC."""
        return datetime.combine(self.published_on, time(), UTC)


class ImportedComment(BaseModel):
    """A comment; `replies_to` is the number of an earlier one, null for the article."""

    model_config = ConfigDict(extra="ignore")

    n: Annotated[int, Field(ge=1, le=10**9)]
    author: DisplayName | None = None
    formerly: DisplayName | None = None
    replies_to: int | None = None
    body: CommentBody


class ThreadFile(BaseModel):
    """One article and the comments under it."""

    model_config = ConfigDict(extra="ignore")

    article: ImportedArticle
    comments: list[ImportedComment]


def parse_thread_file(path: Path) -> ThreadFile:
    """Return the thread of a file. Raises ThreadFileError."""
    try:
        if path.stat().st_size > MAX_FILE:
            raise ThreadFileError(f"{path} has more than {MAX_FILE} bytes. Split the thread.")
        thread = ThreadFile.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ThreadFileError(f"{path} cannot be read: {error.strerror}.") from error
    except ValidationError as error:
        faults = "\n".join(
            f"  {'.'.join(map(str, fault['loc'])) or 'the file'}: "
            f"{fault['msg'].removeprefix('Value error, ')}"
            for fault in error.errors(include_url=False)[:10]
        )
        raise ThreadFileError(f"{path} is not a thread file:\n{faults}") from error
    _check_order(path, thread)
    return thread


def _check_order(path: Path, thread: ThreadFile) -> None:
    """Refuse what is not in order: the order of the file is that of time."""
    depths: dict[int | None, int] = {None: -1}
    last = 0
    for comment in thread.comments:
        if comment.n <= last:
            raise ThreadFileError(
                f"{path}: comment {comment.n} comes after comment {last}. Number them in order."
            )
        if comment.replies_to not in depths:
            raise ThreadFileError(
                f"{path}: comment {comment.n} replies to {comment.replies_to}, "
                "which does not come before it."
            )
        if comment.formerly is not None and comment.author is None:
            raise ThreadFileError(f"{path}: comment {comment.n} has an earlier name but no author.")
        depths[comment.n] = depths[comment.replies_to] + 1
        if depths[comment.n] > MAX_DEPTH:
            raise ThreadFileError(
                f"{path}: comment {comment.n} is more than {MAX_DEPTH} levels deep."
            )
        last = comment.n
