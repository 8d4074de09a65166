"""Requests and responses about subscriptions."""

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from api.comments.schemas import ArticleLink
from api.kit.http.pagination import Page
from api.kit.http.schemas import Input, Output, Time, show_values
from api.users.schemas import PersonRead
from models import SubscriptionLevel


class SubscriptionType(StrEnum):
    """What can be followed."""

    ARTICLE = "article"
    USER = "user"
    TAG = "tag"


class SubscriptionPut(Input):
    """Of what you want to be notified."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"level": "all"}]})

    level: SubscriptionLevel = Field(
        description="`all`: every new comment, and of people and tags every new article. "
        "`replies`: replies to you and mentions. `mute`: nothing."
    )


class SubscriptionRead(Output):
    """Of what you are notified."""

    level: Annotated[SubscriptionLevel, show_values(SubscriptionLevel)]
    is_default: bool = Field(description="Whether there is no subscription; then it is `replies`.")
    is_automatic: bool = Field(
        description="Whether it was made because you wrote in the thread, not by your choice."
    )


class ListedSubscription(SubscriptionRead):
    """Something that you follow or muted."""

    type: Annotated[SubscriptionType, show_values(SubscriptionType)]
    article: ArticleLink | None = Field(description="Null unless `type` is `article`.")
    user: PersonRead | None = Field(description="Null unless `type` is `user`.")
    tag: str | None = Field(description="Null unless `type` is `tag`.", examples=["space"])
    created_at: Time


class SubscriptionPage(Page[ListedSubscription]):
    """A page of what you follow or muted."""
