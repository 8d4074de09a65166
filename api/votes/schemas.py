"""What is asked and answered about votes."""

from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field, Strict

from api.kit.http.schemas import Input, Output


class VotePut(Input):
    """A vote; it replaces the one before."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"value": 1}]})

    value: Annotated[int, Strict(), Field(ge=-1, le=1)] = Field(
        description="1 is up, -1 down, 0 takes the vote back."
    )


class VoteRead(Output):
    """The sums as they are now, and the own vote. Trees show them about a second later."""

    up: int
    down: int
    score: int
    value: int = Field(ge=-1, le=1)


class CommentVoteRead(Output):
    """A vote of the reader."""

    comment_id: UUID
    value: int = Field(ge=-1, le=1)


class ViewerRead(Output):
    """What depends on who looks: it lies over a tree, which is the same for everybody."""

    article_id: UUID
    article_vote: int = Field(ge=-1, le=1)
    comment_votes: list[CommentVoteRead] = Field(
        description="At most 5,000, the latest votes first."
    )
    may_reply: bool
    may_edit_article: bool
    may_moderate: bool = Field(description="May take back what others wrote.")
