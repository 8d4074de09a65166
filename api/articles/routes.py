"""HTTP for articles."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response

from api.articles import queries, service
from api.articles.errors import ArticleNotFound, ExternalIdTaken, NotYourArticle, SlugTaken
from api.articles.queries import ArticleRow
from api.articles.schemas import (
    ArticleCreate,
    ArticlePage,
    ArticleRead,
    ArticleSort,
    ArticleSummary,
    ArticleUpdate,
    ArticleUpsert,
    ExternalId,
    Tag,
)
from api.articles.slugs import MAX_SLUG_LENGTH
from api.auth.dependencies import CurrentActor, IdempotentUow
from api.auth.quotas import Action, limit
from api.kit.conditional import UNCHANGED, IfMatch, answer
from api.kit.pagination import (
    CursorParam,
    InvalidCursor,
    Limit,
    PageInfo,
    decode_cursor,
    encode_cursor,
    link_next,
)
from api.kit.problems import problems
from api.kit.rendering import TextTooLarge
from api.kit.routing import Route
from api.kit.uow import ReadSession, ServicesDep, UowDep
from api.users.schemas import Handle, PersonRead

router = APIRouter(route_class=Route, tags=["articles"])

ArticleRef = Annotated[
    str, Path(min_length=1, max_length=MAX_SLUG_LENGTH, description="The article's id or slug.")
]
ExternalIdPath = Annotated[ExternalId, Path(description="The id that your site knows it by.")]
TagFilter = Annotated[Tag | None, Query(description="Only with this tag.")]
AuthorFilter = Annotated[
    Handle | None, Query(description="Only by the person who has or had this handle.")
]


@router.post(
    "/articles",
    status_code=201,
    response_model=ArticleRead,
    responses=problems(SlugTaken, ExternalIdTaken, TextTooLarge),
    dependencies=[limit(Action.ARTICLE_CREATE)],
)
async def create_article(
    request: Request, body: ArticleCreate, actor: CurrentActor, uow: IdempotentUow
) -> Response:
    """Publish an article."""
    return _answer_new(request, await service.create_article(uow, actor, body))


@router.get("/articles", responses=problems(InvalidCursor))
async def list_articles(
    request: Request,
    response: Response,
    session: ReadSession,
    services: ServicesDep,
    sort: ArticleSort = ArticleSort.NEW,
    tag: TagFilter = None,
    author: AuthorFilter = None,
    limit: Limit = 20,
    cursor: CursorParam = None,
) -> ArticlePage:
    """List articles: the newest, those with the latest reply, the best voted, or the hottest."""
    bound_to = f"articles {sort} {tag} {author}"
    after = None
    if cursor is not None:
        after = _read_position(decode_cursor(services.signer, bound_to, cursor), sort)
    rows = await queries.list_articles(
        session, sort=sort, tag=tag, author=author, after=after, limit=limit + 1
    )
    next_cursor = None
    if len(rows) > limit:
        last = rows[limit - 1]
        position = [queries.sort_key(last, sort), last.article.id]
        next_cursor = encode_cursor(services.signer, bound_to, position)
    link_next(request, response, next_cursor)
    return ArticlePage(
        data=[ArticleSummary.model_validate(_fields(row)) for row in rows[:limit]],
        page=PageInfo(next_cursor=next_cursor, has_more=next_cursor is not None),
    )


@router.get(
    "/articles/{article}",
    response_model=ArticleRead,
    responses={**problems(ArticleNotFound), **UNCHANGED},
)
async def read_article(request: Request, article: ArticleRef, session: ReadSession) -> Response:
    """Read an article."""
    row = await service.get_article(session, article)
    return answer(request, _read(row), revision=row.article.revision)


@router.patch(
    "/articles/{article}",
    response_model=ArticleRead,
    responses=problems(ArticleNotFound, NotYourArticle, TextTooLarge),
    dependencies=[limit(Action.ARTICLE_EDIT)],
)
async def update_article(
    request: Request,
    article: ArticleRef,
    body: ArticleUpdate,
    actor: CurrentActor,
    uow: UowDep,
    if_match: IfMatch,
) -> Response:
    """Change your article; moderators may change any."""
    row = await service.update_article(uow, actor, article, body, if_match)
    return answer(request, _read(row), revision=row.article.revision)


@router.delete(
    "/articles/{article}",
    status_code=204,
    responses=problems(ArticleNotFound, NotYourArticle),
    dependencies=[limit(Action.ARTICLE_EDIT)],
)
async def delete_article(
    article: ArticleRef, actor: CurrentActor, uow: UowDep, if_match: IfMatch
) -> None:
    """Take your article back, with its thread; moderators may take back any."""
    await service.delete_article(uow, actor, article, if_match)


@router.put(
    # A path: the ids of many sites hold slashes.
    "/articles/by-external-id/{external_id:path}",
    response_model=ArticleRead,
    responses={
        **problems(NotYourArticle, ExternalIdTaken, TextTooLarge),
        201: {"model": ArticleRead, "description": "Created."},
    },
    dependencies=[limit(Action.ARTICLE_CREATE)],
)
async def upsert_article(
    request: Request,
    external_id: ExternalIdPath,
    body: ArticleUpsert,
    actor: CurrentActor,
    uow: UowDep,
) -> Response:
    """Create or change the article that a site knows by its own id."""
    row, is_new = await service.upsert_article(uow, actor, external_id, body)
    if is_new:
        return _answer_new(request, row)
    return answer(request, _read(row), revision=row.article.revision)


def _answer_new(request: Request, row: ArticleRow) -> Response:
    response = answer(request, _read(row), revision=row.article.revision, status=201)
    response.headers["Location"] = f"/v1/articles/{row.article.id}"
    return response


def _read(row: ArticleRow) -> ArticleRead:
    return ArticleRead.model_validate(
        {**_fields(row), "body": row.article.body, "html": row.article.html}
    )


def _fields(row: ArticleRow) -> dict[str, Any]:
    fields = row.article.model_dump(include=set(ArticleSummary.model_fields))
    author = None if row.author is None else PersonRead.model_validate(row.author)
    return {**fields, "author": author, "tags": row.tags}


def _read_position(position: list[Any], sort: ArticleSort) -> tuple[Any, UUID]:
    key, article_id = position
    is_time = sort in (ArticleSort.NEW, ArticleSort.ACTIVE)
    return datetime.fromisoformat(key) if is_time else key, UUID(article_id)
