"""Requests and responses about the settings of notifications."""

from typing import Annotated

from pydantic import ConfigDict, Field, StrictBool

from api.kit.http.schemas import Input, Output, show_values
from models import MailFrequency


class ChannelPut(Input):
    """Where one kind of notification goes besides the inbox."""

    mail: MailFrequency
    push: StrictBool


class ChannelsPut(Input):
    """The channels of each kind; a kind that is left out gets its defaults."""

    mention: ChannelPut | None = None
    comment_reply: ChannelPut | None = None
    article_reply: ChannelPut | None = None
    followed: ChannelPut | None = None
    new_article: ChannelPut | None = None
    decision: ChannelPut | None = None
    appeal: ChannelPut | None = None
    webhook_disabled: ChannelPut | None = None


class NotificationSettingsPut(Input):
    """How you want to be notified. It replaces all settings."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "follows_own_threads": True,
                    "channels": {"followed": {"mail": "daily", "push": False}},
                }
            ]
        }
    )

    follows_own_threads: StrictBool = Field(
        default=True,
        description="Whether you follow a thread, with the level `all`, once you wrote in it.",
    )
    channels: ChannelsPut = Field(default_factory=ChannelsPut)


class ChannelRead(Output):
    """Where one kind of notification goes besides the inbox."""

    mail: Annotated[MailFrequency, show_values(MailFrequency)]
    push: bool


class ChannelsRead(Output):
    """The channels of each kind."""

    mention: ChannelRead
    comment_reply: ChannelRead
    article_reply: ChannelRead
    followed: ChannelRead
    new_article: ChannelRead
    decision: ChannelRead
    appeal: ChannelRead
    webhook_disabled: ChannelRead


class NotificationSettingsRead(Output):
    """How you are notified."""

    follows_own_threads: bool
    channels: ChannelsRead
