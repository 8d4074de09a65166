"""HTTP for subscriptions."""

from typing import Annotated

from fastapi import Query, Request, Response

from api.articles.errors import ArticleNotFound
from api.articles.routes import ArticleRef, TagPath
from api.auth.actor import Actor
from api.auth.dependencies import requires
from api.auth.quotas import Action, limit
from api.auth.scopes import Scope
from api.kit.dependencies import ReadSession, ServicesDep, UowDep
from api.kit.http.pagination import CursorParam, InvalidCursor, Limit, link_next
from api.kit.http.problem_responses import problems
from api.kit.http.routing import make_router
from api.notifications.subscriptions import queries, service
from api.notifications.subscriptions.errors import OwnSubscription
from api.notifications.subscriptions.presenters import to_listed, to_subscription
from api.notifications.subscriptions.schemas import (
    SubscriptionPage,
    SubscriptionPut,
    SubscriptionRead,
    SubscriptionType,
)
from api.users.errors import UserNotFound
from api.users.routes import HandlePath
from models import SubscriptionLevel

router = make_router("notifications")

Reader = Annotated[Actor, requires(Scope.SUBSCRIPTIONS_READ)]
Follower = Annotated[Actor, requires(Scope.SUBSCRIPTIONS_WRITE)]


@router.get("/articles/{article}/subscription", responses=problems(ArticleNotFound))
async def read_article_subscription(
    article: ArticleRef, actor: Reader, session: ReadSession
) -> SubscriptionRead:
    """Get your subscription of an article."""
    article_id = await service.get_article_id(session, article)
    return to_subscription(await queries.find_of_article(session, actor.id, article_id))


@router.put(
    "/articles/{article}/subscription",
    responses=problems(ArticleNotFound),
    dependencies=[limit(Action.SUBSCRIBE)],
)
async def set_article_subscription(
    article: ArticleRef, body: SubscriptionPut, actor: Follower, uow: UowDep
) -> SubscriptionRead:
    """Follow or mute an article.

    It takes precedence over what you chose for its tags and its author, unless you muted the author
    of a comment.
    """
    article_id = await service.get_article_id(uow.session, article)
    await queries.set_of_article(uow.session, actor.id, article_id, level=body.level, now=uow.now)
    return SubscriptionRead(level=body.level, is_default=False, is_automatic=False)


@router.delete(
    "/articles/{article}/subscription",
    status_code=204,
    responses=problems(ArticleNotFound),
    dependencies=[limit(Action.SUBSCRIBE)],
)
async def delete_article_subscription(article: ArticleRef, actor: Follower, uow: UowDep) -> None:
    """Delete your subscription of an article.

    Your next comment in its thread may make a new one: set `replies` to prevent that.
    """
    article_id = await service.get_article_id(uow.session, article)
    await queries.delete_of_article(uow.session, actor.id, article_id)


@router.get("/users/{handle}/subscription", responses=problems(UserNotFound, OwnSubscription))
async def read_user_subscription(
    handle: HandlePath, actor: Reader, session: ReadSession
) -> SubscriptionRead:
    """Get your subscription of a person."""
    followed_id = await service.get_other(session, actor, handle)
    return to_subscription(await queries.find_of_user(session, actor.id, followed_id))


@router.put(
    "/users/{handle}/subscription",
    responses=problems(UserNotFound, OwnSubscription),
    dependencies=[limit(Action.SUBSCRIBE)],
)
async def set_user_subscription(
    handle: HandlePath, body: SubscriptionPut, actor: Follower, uow: UowDep
) -> SubscriptionRead:
    """Follow or mute a person.

    You are notified of nothing that a muted person does. Nobody is told that you follow or muted
    them.
    """
    followed_id = await service.get_other(uow.session, actor, handle)
    await queries.set_of_user(uow.session, actor.id, followed_id, level=body.level, now=uow.now)
    return SubscriptionRead(level=body.level, is_default=False, is_automatic=False)


@router.delete(
    "/users/{handle}/subscription",
    status_code=204,
    responses=problems(UserNotFound, OwnSubscription),
    dependencies=[limit(Action.SUBSCRIBE)],
)
async def delete_user_subscription(handle: HandlePath, actor: Follower, uow: UowDep) -> None:
    """Delete your subscription of a person."""
    followed_id = await service.get_other(uow.session, actor, handle)
    await queries.delete_of_user(uow.session, actor.id, followed_id)


@router.get("/tags/{tag}/subscription")
async def read_tag_subscription(
    tag: TagPath, actor: Reader, session: ReadSession
) -> SubscriptionRead:
    """Get your subscription of a tag."""
    return to_subscription(await queries.find_of_tag(session, actor.id, tag))


@router.put("/tags/{tag}/subscription", dependencies=[limit(Action.SUBSCRIBE)])
async def set_tag_subscription(
    tag: TagPath, body: SubscriptionPut, actor: Follower, uow: UowDep
) -> SubscriptionRead:
    """Follow or mute a tag.

    `mute` silences its articles, but those that you follow. Any tag can be followed, also before an
    article has it.
    """
    await queries.set_of_tag(uow.session, actor.id, tag, level=body.level, now=uow.now)
    return SubscriptionRead(level=body.level, is_default=False, is_automatic=False)


@router.delete("/tags/{tag}/subscription", status_code=204, dependencies=[limit(Action.SUBSCRIBE)])
async def delete_tag_subscription(tag: TagPath, actor: Follower, uow: UowDep) -> None:
    """Delete your subscription of a tag."""
    await queries.delete_of_tag(uow.session, actor.id, tag)


@router.get("/me/subscriptions", responses=problems(InvalidCursor))
async def list_subscriptions(
    request: Request,
    response: Response,
    actor: Reader,
    session: ReadSession,
    services: ServicesDep,
    type_: Annotated[
        SubscriptionType, Query(alias="type", description="Articles, people or tags.")
    ] = SubscriptionType.ARTICLE,
    level: Annotated[
        SubscriptionLevel | None, Query(description="Only subscriptions of this level.")
    ] = None,
    limit: Limit = 20,
    cursor: CursorParam = None,
) -> SubscriptionPage:
    """List what you follow or muted.

    One type at a time: the newest articles and accounts first, tags in the order of the alphabet.
    """
    rows, page = await service.list_subscriptions(
        session, services.signer, actor, kind=type_, level=level, cursor=cursor, limit=limit
    )
    link_next(request, response, page.next_cursor)
    return SubscriptionPage(data=[to_listed(row, type_) for row in rows], page=page)
