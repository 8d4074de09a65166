"""Cached reads of articles and of their lists."""

from collections.abc import Callable
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
from api.kit.cache.pages import RenderedPage
from api.kit.cache.responses import make_cached_response
from api.kit.http.conditional import Resource, make_etag
from api.kit.http.pagination import Keyset
from api.kit.services import Services
from api.kit.text.excerpts import make_excerpt
from api.users.schemas import PersonRead

# The subject of all lists in the cache. No row has their version: changes are counted in Redis.
LISTS = UUID(int=0)

# From the JSON of a cursor to the type of a sort key.
_PARSE_KEY: dict[ArticleSort, Callable[[Any], Any]] = {
    ArticleSort.NEW: datetime.fromisoformat,
    ArticleSort.ACTIVE: datetime.fromisoformat,
    ArticleSort.TOP: int,
    ArticleSort.HOT: float,
}


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
    keyset = Keyset(services.signer, params.name, _PARSE_KEY[params.sort])
    after = keyset.parse(params.cursor)
    pointer = await services.cache.begin_counted_read(LISTS)
    return await make_cached_response(
        request,
        services.cache,
        LISTS,
        f"{params.name} {params.limit} {params.cursor}",
        lambda: _build_list(services, params, keyset, after, count=pointer.version),
        pointer=pointer,
    )


def read_article(row: ArticleRow) -> ArticleRead:
    """Return an article as readers see it."""
    fields = row.article.model_dump(include=set(ArticleRead.model_fields))
    return ArticleRead.model_validate({**fields, **_fields(row)})


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
    services: Services,
    params: ListParams,
    keyset: Keyset,
    after: tuple[Any, UUID] | None,
    *,
    count: int | None,
) -> RenderedPage:
    async with services.database.read_session() as session:
        rows = await queries.list_articles(
            session,
            sort=params.sort,
            tag=params.tag,
            author=params.author,
            after=after,
            limit=params.limit,
        )
    page = ArticlePage(
        data=[ArticleSummary.model_validate(_fields(listed.row)) for listed in rows.data],
        page=keyset.make_page(rows, lambda listed: (listed.key, listed.row.article.id)),
    )
    body = page.model_dump_json().encode()
    return RenderedPage(count, body, next_cursor=page.page.next_cursor)


def _fields(row: ArticleRow) -> dict[str, Any]:
    fields = row.article.model_dump(include=set(ArticleSummary.model_fields))
    author = None if row.author is None else PersonRead.model_validate(row.author)
    excerpt = make_excerpt(row.article.html)
    return {**fields, "excerpt": excerpt, "author": author, "tags": row.tags}
