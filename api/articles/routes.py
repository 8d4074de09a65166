"""HTTP for articles."""

from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Annotated

from fastapi import Depends, Path, Query, Request, Response

from api.articles import cached_reads, service
from api.articles.cached_reads import ListParams
from api.articles.errors import ArticleNotFound, ExternalIdTaken, NotYourArticle, SlugTaken
from api.articles.queries import ArticleRow
from api.articles.schemas import (
    ArticleCreate,
    ArticlePage,
    ArticleRead,
    ArticleSort,
    ArticleUpdate,
    ArticleUpsert,
    ExternalId,
    Tag,
)
from api.articles.slugs import MAX_SLUG_LENGTH
from api.auth.actor import Actor
from api.auth.dependencies import IdempotentUow, find_actor, requires
from api.auth.quotas import Action, limit
from api.auth.scopes import Scope
from api.kit.db.database import DatabaseUnavailable
from api.kit.db.write_queues import WriteQueueFull
from api.kit.dependencies import ServicesDep, UowDep, services_of
from api.kit.http.cacheability import public_response
from api.kit.http.conditional import IfMatch, Resource, make_resource_response
from api.kit.http.pagination import CursorParam, InvalidCursor, Limit
from api.kit.http.problem_responses import problems
from api.kit.http.routing import make_router
from api.kit.problems import declares
from api.kit.text.rendering import TextTooLarge
from api.screening.dependencies import AskedServices, ExternalFindings
from api.screening.errors import ArticleRejected
from api.users.schemas import Handle

router = make_router("articles")

TagPath = Annotated[Tag, Path(description="The tag.")]

ArticleWriter = Annotated[Actor, requires(Scope.ARTICLES_WRITE)]

ArticleRef = Annotated[
    str, Path(min_length=1, max_length=MAX_SLUG_LENGTH, description="The article's id or slug.")
]


@declares(WriteQueueFull)
async def wait_for_turn(request: Request, article: ArticleRef) -> AsyncIterator[None]:
    """Wait for this request's turn to write to the article, before it takes a connection."""
    services = services_of(request)
    article_id = None
    # Without credentials it is refused, and must not keep others waiting.
    if await find_actor(request) is not None:
        with suppress(ArticleNotFound):
            article_id = await cached_reads.find_article_id(services, article)
    async with services.write_queues.turn(article_id):
        yield


# scope="function": it ends after the unit of work, which ends before the response is sent.
ArticleTurn = Depends(wait_for_turn, scope="function")
ExternalIdPath = Annotated[ExternalId, Path(description="The id of the article on your own site.")]
TagFilter = Annotated[Tag | None, Query(description="Only articles with this tag.")]
AuthorFilter = Annotated[
    Handle | None, Query(description="Only articles of the person who has or had this handle.")
]


@router.post(
    "/articles",
    status_code=201,
    response_model=ArticleRead,
    responses=problems(SlugTaken, ExternalIdTaken, TextTooLarge, ArticleRejected),
    dependencies=[limit(Action.ARTICLE_CREATE), AskedServices],
)
async def create_article(
    request: Request,
    body: ArticleCreate,
    actor: ArticleWriter,
    uow: IdempotentUow,
    services: ServicesDep,
    external: ExternalFindings,
) -> Response:
    """Create an article."""
    row = await service.create_article(uow, services, actor, body, external=external)
    return await _make_created_response(request, row)


@router.get(
    "/articles",
    response_model=ArticlePage,
    responses={**problems(InvalidCursor, DatabaseUnavailable)},
)
@public_response
async def list_articles(
    request: Request,
    services: ServicesDep,
    sort: Annotated[ArticleSort, Query(description="The order of the list.")] = ArticleSort.NEW,
    tag: TagFilter = None,
    author: AuthorFilter = None,
    limit: Limit = 20,
    cursor: CursorParam = None,
) -> Response:
    """List articles.

    `sort` is `new` (creation), `active` (last activity), `top` (votes) or `hot` (votes and age).
    """
    params = ListParams(sort=sort, tag=tag, author=author, limit=limit, cursor=cursor)
    return await cached_reads.get_article_page(request, services, params)


@router.get(
    "/articles/{article}",
    response_model=ArticleRead,
    responses={**problems(ArticleNotFound, DatabaseUnavailable)},
)
@public_response
async def read_article(request: Request, article: ArticleRef, services: ServicesDep) -> Response:
    """Get an article."""
    return await cached_reads.get_article_response(request, services, article)


@router.patch(
    "/articles/{article}",
    response_model=ArticleRead,
    responses=problems(ArticleNotFound, NotYourArticle, TextTooLarge, ArticleRejected),
    dependencies=[limit(Action.ARTICLE_EDIT), AskedServices, ArticleTurn],
)
async def update_article(
    request: Request,
    article: ArticleRef,
    body: ArticleUpdate,
    actor: ArticleWriter,
    uow: UowDep,
    if_match: IfMatch,
    services: ServicesDep,
    external: ExternalFindings,
) -> Response:
    """Edit an article.

    Authors may edit their own articles, moderators any.
    """
    row = await service.update_article(
        uow, services, actor, article, body, if_match, external=external
    )
    return await _make_response(request, row)


@router.delete(
    "/articles/{article}",
    status_code=204,
    responses=problems(ArticleNotFound, NotYourArticle),
    dependencies=[limit(Action.ARTICLE_EDIT), ArticleTurn],
)
async def delete_article(
    article: ArticleRef, actor: ArticleWriter, uow: UowDep, if_match: IfMatch
) -> None:
    """Delete an article.

    Its thread is deleted too. Authors may delete their own articles, moderators any.
    """
    await service.delete_article(uow, actor, article, if_match)


@router.put(
    # A path: the ids of many sites hold slashes.
    "/articles/by-external-id/{external_id:path}",
    response_model=ArticleRead,
    responses={
        **problems(NotYourArticle, ExternalIdTaken, TextTooLarge, ArticleRejected),
        201: {"model": ArticleRead, "description": "Created."},
    },
    dependencies=[limit(Action.ARTICLE_CREATE), AskedServices],
)
async def upsert_article(
    request: Request,
    external_id: ExternalIdPath,
    body: ArticleUpsert,
    actor: ArticleWriter,
    uow: UowDep,
    services: ServicesDep,
    external: ExternalFindings,
) -> Response:
    """Create or update by external id.

    For sites that have their own ids for their articles.
    """
    row, is_new = await service.upsert_article(
        uow, services, actor, external_id, body, external=external
    )
    if is_new:
        return await _make_created_response(request, row)
    return await _make_response(request, row)


async def _make_response(request: Request, row: ArticleRow, *, status: int = 200) -> Response:
    return await make_resource_response(
        request,
        cached_reads.read_article(row),
        resource=Resource("article", row.article.id),
        revision=row.article.revision,
        status=status,
    )


async def _make_created_response(request: Request, row: ArticleRow) -> Response:
    response = await _make_response(request, row, status=201)
    response.headers["Location"] = f"/v1/articles/{row.article.id}"
    return response
