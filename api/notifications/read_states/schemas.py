"""Requests and responses about what was read."""

from uuid import UUID

from pydantic import ConfigDict, Field

from api.comments.unread.schemas import NewCommentCount, ReadVersion
from api.kit.http.schemas import Input, Output
from api.notifications.inbox.schemas import Number

# Articles in one request: a URL has at most 8 KiB.
MAX_ARTICLES = 100


class ReadStatePut(Input):
    """Up to where you have read a thread."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"version": 42}]})

    version: Number = Field(description="The `version` of the tree that you have seen.")


class ReadStateRead(Output):
    """What you have read of a thread."""

    article_id: UUID
    version: int = Field(description="The article's newest version.")
    read_version: ReadVersion
    new_comment_count: NewCommentCount


class ReadStateList(Output):
    """What you have read of some threads."""

    data: list[ReadStateRead]
