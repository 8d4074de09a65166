"""Requests and responses about votes."""

from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field, Strict

from api.comments.schemas import CommentRead
from api.comments.unread.schemas import NewCommentCount, ReadVersion
from api.kit.http.schemas import Input, Output, Time


class VotePut(Input):
    """A vote. It replaces your previous one."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"value": 1}]})

    value: Annotated[int, Strict(), Field(ge=-1, le=1)] = Field(
        description="1 is up, -1 is down, 0 removes your vote."
    )


class VoteRead(Output):
    """The present totals and your vote. Trees show the totals about a second later."""

    up: int = Field(description="Number of votes up.")
    down: int = Field(description="Number of votes down.")
    score: int = Field(description="Votes up minus votes down.")
    value: int = Field(description="Your vote; 0 if you have none.", ge=-1, le=1)


class CommentVoteRead(Output):
    """Your vote on a comment."""

    comment_id: UUID
    value: int = Field(description="Your vote; 0 if you have none.", ge=-1, le=1)


class ViewerRead(Output):
    """What depends on the reader, in addition to a tree that is the same for everybody."""

    article_id: UUID
    article_vote: int = Field(description="Your vote; 0 if you have none.", ge=-1, le=1)
    comment_votes: list[CommentVoteRead] = Field(
        description="Your latest 5,000 votes in the thread, the newest first."
    )
    pending_comments: list[CommentRead] = Field(
        description="Your latest 50 comments in the thread that nobody else sees until a moderator "
        "has approved them, the newest first."
    )
    read_version: ReadVersion
    new_comment_count: NewCommentCount
    may_reply: bool = Field(
        description="Whether you may reply in the thread, if not before `may_reply_at`."
    )
    may_reply_at: Time | None = Field(
        description="When slow mode lets you reply again; null if it does now."
    )
    may_edit_article: bool = Field(description="Whether you may edit the article.")
    may_moderate: bool = Field(description="Whether you may remove the texts of other people.")
