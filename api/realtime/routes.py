"""HTTP for live updates."""

import functools
from typing import Annotated, Any

from fastapi import Request, Response

from api.articles.cached_reads import find_article_id
from api.articles.errors import ArticleNotFound
from api.articles.routes import ArticleRef
from api.auth.actor import Actor
from api.auth.dependencies import get_token_hash, requires
from api.auth.quotas import Action, limit
from api.auth.scopes import Scope
from api.kit.db.database import DatabaseUnavailable
from api.kit.dependencies import ServicesDep, UowDep
from api.kit.http.event_streams import EventStreamResponse
from api.kit.http.problem_responses import problems
from api.kit.http.routing import make_router
from api.realtime import service
from api.realtime.dependencies import HubDep, ListenerDep, Position, TicketUse
from api.realtime.errors import StreamsExhausted, TooManyStreams
from api.realtime.schemas import TicketRead

router = make_router("live")

NotificationReader = Annotated[Actor, requires(Scope.NOTIFICATIONS_READ)]

_CHANGE_EXAMPLE = """retry: 3000

event: change
id: 42
data: {"article_id":"0198f2c5-6f3a-7000-8000-000000000001","version":42,\
"created":["0198f2c5-6f3a-7000-8000-000000000002"],"edited":[],"restored":[],"removed":[],\
"scored":[],"article":null,"reload":false}

:

event: reset
id: 977
data: {"article_id":"0198f2c5-6f3a-7000-8000-000000000001","version":977}

"""


_INBOX_EXAMPLE = """retry: 3000

event: notification
id: 7
data: {"number":7,"id":"0198f2c5-6f3a-7000-8000-000000000003","kind":"comment_reply",\
"article_id":"0198f2c5-6f3a-7000-8000-000000000001",\
"comment_id":"0198f2c5-6f3a-7000-8000-000000000002"}

:

event: reset
id: 977
data: {"number":977}

"""


def _describe_stream(description: str, example: str) -> dict[int | str, dict[str, Any]]:
    """Return how the document shows a stream: OpenAPI 3.1 has no words for its messages."""
    content = {"text/event-stream": {"schema": {"type": "string"}, "example": example}}
    return {200: {"description": description, "content": content}}


@router.get(
    "/articles/{article}/events",
    status_code=200,
    response_class=EventStreamResponse,
    responses={
        **_describe_stream("Changes of the article, as server-sent events.", _CHANGE_EXAMPLE),
        **problems(ArticleNotFound, StreamsExhausted, TooManyStreams, DatabaseUnavailable),
    },
    dependencies=[TicketUse, limit(Action.STREAM_OPEN)],
)
async def stream_article(
    article: ArticleRef,
    services: ServicesDep,
    hub: HubDep,
    listener: ListenerDep,
    after: Position,
) -> Response:
    """Stream an article's changes.

    One `change` message for each version of the article that readers can see, with the version as
    its id and the ids of the comments that changed. `reset` tells that more was missed than can be
    told: read the thread again. To begin where a thread was read, send its `version` as
    `last_event_id`. Comments are sent every 15 seconds to keep the connection open.
    """
    article_id = await find_article_id(services, article)
    stream = await hub.open(hub.articles, article_id, listener, after, missing=ArticleNotFound)
    return EventStreamResponse(stream, functools.partial(hub.close, stream))


@router.get(
    "/me/events",
    status_code=200,
    response_class=EventStreamResponse,
    responses={
        **_describe_stream("New notifications, as server-sent events.", _INBOX_EXAMPLE),
        **problems(StreamsExhausted, TooManyStreams, DatabaseUnavailable),
    },
    dependencies=[TicketUse, limit(Action.STREAM_OPEN)],
)
async def stream_inbox(
    actor: NotificationReader, hub: HubDep, listener: ListenerDep, after: Position
) -> Response:
    """Stream your new notifications.

    One `notification` message for each notification that comes into the inbox, with its `number` as
    the id. `reset` tells that more was missed than can be told: read the inbox again.
    """
    stream = await hub.open(hub.inboxes, actor.id, listener, after)
    return EventStreamResponse(stream, functools.partial(hub.close, stream))


@router.post(
    "/stream-tickets",
    status_code=201,
    dependencies=[requires(Scope.NOTIFICATIONS_READ), limit(Action.STREAM_TICKET)],
)
async def create_stream_ticket(request: Request, uow: UowDep) -> TicketRead:
    """Create a ticket for a stream.

    It opens one stream, as the `ticket` in its URL, and then stands for the access token that it
    was made with. For browsers, whose EventSource cannot send headers.
    """
    return await service.create_ticket(uow, get_token_hash(request))
