"""HTTP for what was read."""

from typing import Annotated
from uuid import UUID

from fastapi import Query

from api.articles.errors import ArticleNotFound
from api.articles.routes import ArticleRef
from api.auth.actor import Actor
from api.auth.dependencies import requires
from api.auth.quotas import Action, limit
from api.auth.scopes import Scope
from api.kit.dependencies import ReadSession, UowDep
from api.kit.http.cacheability import private_response
from api.kit.http.problem_responses import problems
from api.kit.http.routing import make_router
from api.notifications.read_states import service
from api.notifications.read_states.schemas import (
    MAX_ARTICLES,
    ReadStateList,
    ReadStatePut,
    ReadStateRead,
)

router = make_router("notifications")

Reader = Annotated[Actor, requires(Scope.SUBSCRIPTIONS_READ)]
Marker = Annotated[Actor, requires(Scope.SUBSCRIPTIONS_WRITE)]


@router.put(
    "/articles/{article}/read-state",
    responses=problems(ArticleNotFound),
    dependencies=[limit(Action.READ_STATE)],
)
async def set_read_state(
    article: ArticleRef, body: ReadStatePut, actor: Marker, uow: UowDep
) -> ReadStateRead:
    """Mark a thread as read.

    Up to a version, with its notifications. It never goes back: an older version, from another
    device, changes nothing.
    """
    return await service.mark_thread_read(uow, actor.id, article, body.version)


@router.get("/me/read-states")
@private_response
async def list_read_states(
    actor: Reader,
    session: ReadSession,
    article_id: Annotated[
        list[UUID],
        Query(min_length=1, max_length=MAX_ARTICLES, description="The articles; repeat it."),
    ],
) -> ReadStateList:
    """Get what is new in threads.

    For lists of articles, which are the same for everybody. In the order of the ids; articles that
    do not exist are left out.
    """
    return ReadStateList(data=await service.list_read_states(session, actor.id, article_id))
