"""Requests and responses about moderators of articles and tags."""

from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field

from api.articles.schemas import Tag
from api.kit.http.pagination import Page
from api.kit.http.schemas import Input, Output
from api.users.schemas import PersonRead

MAX_SUBJECTS = 100


class ModeratorPut(Input):
    """All that a person moderates. It replaces what they moderated before."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"article_ids": [], "tags": ["space"]}]}
    )

    article_ids: Annotated[
        list[UUID], Field(max_length=MAX_SUBJECTS), AfterValidator(lambda ids: list(set(ids)))
    ] = Field(default=[], description="Articles whose discussions the person moderates.")
    tags: Annotated[
        list[Tag], Field(max_length=MAX_SUBJECTS), AfterValidator(lambda tags: list(set(tags)))
    ] = Field(default=[], description="Tags of such articles.")


class ModeratorRead(Output):
    """A person who moderates single articles or tags."""

    person: PersonRead
    article_ids: list[UUID] = Field(
        description="Articles whose discussions the person moderates, deleted ones too."
    )
    tags: list[str] = Field(description="Tags of such articles.", examples=[["space"]])


class ModeratorPage(Page[ModeratorRead]):
    """A page of moderators, in the order in which they joined the forum."""
