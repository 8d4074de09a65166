"""Responses about what changed in a thread."""

from uuid import UUID

from pydantic import Field

from api.comments.schemas import Epoch, TaggedComment
from api.kit.http.schemas import Output


class CommentCounts(Output):
    """The present numbers of a comment."""

    id: UUID
    version: int = Field(description="The article's version when the comment last changed.")
    up: int = Field(description="Number of votes up.")
    down: int = Field(description="Number of votes down.")
    score: int = Field(description="Votes up minus votes down.")
    reply_count: int = Field(description="Number of listed direct replies.")
    descendant_count: int = Field(description="Number of listed replies at all levels below.")


class ThreadArticle(Output):
    """What a thread shows of its article, as it is now."""

    is_changed: bool = Field(
        description="Whether the title, text, tags or settings changed: get the article again."
    )
    is_locked: bool = Field(description="Whether the discussion is closed.")
    comment_count: int = Field(description="Number of visible comments at all levels.")
    up: int = Field(description="Number of votes up.")
    down: int = Field(description="Number of votes down.")
    score: int = Field(description="Votes up minus votes down.")
    notice: str | None = Field(
        description="Plain text of the moderators, to be shown above the thread.",
        examples=["Please keep to the subject."],
    )
    pinned_comment_id: UUID | None = Field(
        description="A visible comment of the article to be shown above the others."
    )


class ArticleChanges(Output):
    """What changed in a thread since a version, each comment once and as it is now."""

    article_id: UUID
    epoch: Epoch
    version: int = Field(description="The article's newest version.")
    reset: bool = Field(
        description="True if the changes cannot be listed: get the tree again. Then everything "
        "below is empty."
    )
    next_since: int | None = Field(
        description="The `since` of the next request; null if `reset` is true."
    )
    has_more: bool = Field(
        description="Whether more has changed: send `next_since` now, before you show the thread."
    )
    article: ThreadArticle
    comments: list[TaggedComment] = Field(
        description="New, edited, restored and hidden comments, placeholders included: put each in "
        "the place of the one that you have. Parents come before their replies."
    )
    removed: list[UUID] = Field(description="Comments that are no longer in the tree.")
    counts: list[CommentCounts] = Field(
        description="Other comments of which only these numbers may have changed."
    )
