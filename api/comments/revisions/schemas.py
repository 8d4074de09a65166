"""Responses about revisions."""

from pydantic import Field

from api.kit.http.pagination import Page
from api.kit.http.schemas import Output, Time


class CommentRevisionRead(Output):
    """A text that a comment had before an edit."""

    revision: int = Field(description="1 for the text of its creation.", ge=1, examples=[1])
    body: str = Field(description="Markdown, as written.", examples=["I agree."])
    html: str = Field(description="The body as safe HTML.", examples=["<p>I agree.</p>"])
    replaced_at: Time = Field(description="When the edit replaced it.")


class CommentRevisionPage(Page[CommentRevisionRead]):
    """A page of texts that a comment had."""
