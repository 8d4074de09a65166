"""Cached reads of articles and of their lists."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import Request, Response

from api.articles import queries
from api.articles.errors import ArticleNotFound
from api.articles.queries import ArticleRow
from api.articles.schemas import ArticlePage, ArticleRead, ArticleSort, ArticleSummary
from api.articles.slugs import is_like_id
from api.kit.cache.local import RenderedPage
from api.kit.cache.responses import make_cached_response
from api.kit.http.conditional import Resource, make_etag
from api.kit.http.pagination import PageInfo, decode_cursor, encode_cursor
from api.kit.services import Services
from api.users.schemas import PersonRead

# The subject of all lists in the cache. No row has their version: changes are counted in Redis.
LISTS = UUID(int=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListParams:
    """Which list is asked for, and from where on."""

    sort: ArticleSort
    tag: str | None
    author: str | None
    limit: int
    cursor: str | None

    @property
    def name(self) -> str:
        """Return what the list is called, and its cursors are bound to."""
        return f"articles {self.sort} {self.tag} {self.author}"


async def find_article_id(services: Services, ref: str) -> UUID:
    """Return the id that an id or a slug leads to. Raises ArticleNotFound for an unknown slug."""
    if is_like_id(ref):
        return UUID(ref)
    article_id = await services.lookups.find(
        ("article", ref), lambda session: queries.find_id(session, ref)
    )
    if article_id is None:
        raise ArticleNotFound
    return article_id


async def get_article_response(request: Request, services: Services, ref: str) -> Response:
    """Respond with an article. Raises ArticleNotFound."""
    article_id = await find_article_id(services, ref)
    return await make_cached_response(
        request,
        services.cache,
        article_id,
        "article",
        lambda: _build_article(services, article_id),
        pointer=await services.cache.begin_read(article_id),
    )


async def get_article_page(request: Request, services: Services, params: ListParams) -> Response:
    """Respond with a page of a list. Raises InvalidCursor."""
    after = None
    if params.cursor is not None:
        position = decode_cursor(services.signer, params.name, params.cursor)
        after = _read_position(position, params.sort)
    pointer = await services.cache.begin_counted_read(LISTS)
    return await make_cached_response(
        request,
        services.cache,
        LISTS,
        f"{params.name} {params.limit} {params.cursor}",
        lambda: _build_list(services, params, after, count=pointer.version),
        pointer=pointer,
    )


def read_article(row: ArticleRow) -> ArticleRead:
    """Return an article as readers see it."""
    return ArticleRead.model_validate(
        {**_fields(row), "body": row.article.body, "html": row.article.html}
    )


async def _build_article(services: Services, article_id: UUID) -> RenderedPage:
    async with services.database.read_session() as session:
        row = await queries.find_article(session, article_id)
    if row is None:
        raise ArticleNotFound
    body = read_article(row).model_dump_json().encode()
    epoch = (await services.epoch.get()).value
    etag = make_etag(epoch, Resource("article", article_id), row.article.revision, body)
    return RenderedPage(row.article.version, body, etag=etag)


async def _build_list(
    services: Services, params: ListParams, after: tuple[Any, UUID] | None, *, count: int | None
) -> RenderedPage:
    async with services.database.read_session() as session:
        rows = await queries.list_articles(
            session,
            sort=params.sort,
            tag=params.tag,
            author=params.author,
            after=after,
            limit=params.limit + 1,
        )
    next_cursor = None
    if len(rows) > params.limit:
        last = rows[params.limit - 1]
        position = [last.key, last.row.article.id]
        next_cursor = encode_cursor(services.signer, params.name, position)
    page = ArticlePage(
        data=[
            ArticleSummary.model_validate(_fields(listed.row)) for listed in rows[: params.limit]
        ],
        page=PageInfo(next_cursor=next_cursor, has_more=next_cursor is not None),
    )
    return RenderedPage(count, page.model_dump_json().encode(), next_cursor=next_cursor)


def _fields(row: ArticleRow) -> dict[str, Any]:
    fields = row.article.model_dump(include=set(ArticleSummary.model_fields))
    author = None if row.author is None else PersonRead.model_validate(row.author)
    return {**fields, "author": author, "tags": row.tags}


def _read_position(position: list[Any], sort: ArticleSort) -> tuple[Any, UUID]:
    key, article_id = position
    is_time = sort in (ArticleSort.NEW, ArticleSort.ACTIVE)
    return datetime.fromisoformat(key) if is_time else key, UUID(article_id)
