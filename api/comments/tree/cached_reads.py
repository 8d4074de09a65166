"""Cached reads of trees: which window a request means, and the nearest place that has it."""

from dataclasses import dataclass
from uuid import UUID

from fastapi import Request, Response

from api.articles.cached_reads import find_article_id
from api.comments import queries
from api.comments.errors import CommentNotFound
from api.comments.schemas import CommentSort
from api.comments.tree.assembly import build_context, build_tree
from api.comments.tree.cursors import Window, decode_window
from api.kit.cache.responses import make_cached_response
from api.kit.http.pagination import InvalidCursor
from api.kit.services import Services


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeParams:
    """The parameters of a tree as they came; None where the client left one out."""

    sort: CommentSort | None
    limit: int | None
    children: int | None
    depth: int | None
    cursor: str | None
    min_version: int | None

    def to_window(self, services: Services, article_id: UUID, under_id: UUID | None) -> Window:
        """Return what is asked for; a cursor brings its own parameters and lets none differ.

        Under an article a cursor of any of its nodes goes on there; under a comment only its own.
        Raises InvalidCursor.
        """
        if self.cursor is None:
            return Window(
                under_id=under_id or article_id,
                sort=self.sort or DEFAULT_SORT,
                limit=DEFAULT_LIMIT if self.limit is None else self.limit,
                children=DEFAULT_CHILDREN if self.children is None else self.children,
                depth=DEFAULT_DEPTH if self.depth is None else self.depth,
            )
        window = decode_window(services.signer, article_id, self.cursor)
        for given, bound in (
            (self.sort, window.sort),
            (self.limit, window.limit),
            (self.children, window.children),
            (self.depth, window.depth),
            (under_id, window.under_id),
        ):
            if given is not None and given != bound:
                raise InvalidCursor
        return window


DEFAULT_SORT = CommentSort.BEST
DEFAULT_LIMIT = 50
DEFAULT_CHILDREN = 5
DEFAULT_DEPTH = 4


async def get_article_tree(
    request: Request, services: Services, article: str, params: TreeParams
) -> Response:
    """Respond with a page of an article's tree. Raises ArticleNotFound, InvalidCursor..."""
    article_id = await find_article_id(services, article)
    return await _get_tree(request, services, article_id, None, params)


async def get_replies(
    request: Request, services: Services, comment_id: UUID, params: TreeParams
) -> Response:
    """Respond with a page of the tree under a comment. Raises CommentNotFound, InvalidCursor..."""
    article_id = await find_article_of(services, comment_id)
    return await _get_tree(request, services, article_id, comment_id, params)


async def get_context(
    request: Request,
    services: Services,
    comment_id: UUID,
    window: Window,
    ancestors: int,
) -> Response:
    """Respond with a comment and its ancestors. Raises CommentNotFound."""
    article_id = await find_article_of(services, comment_id)
    return await make_cached_response(
        request,
        services.cache,
        article_id,
        f"context {ancestors} {_name(window)}",
        lambda: build_context(services, article_id, window, ancestors=ancestors),
        pointer=await services.cache.begin_read(article_id),
    )


async def _get_tree(
    request: Request,
    services: Services,
    article_id: UUID,
    under_id: UUID | None,
    params: TreeParams,
) -> Response:
    window = params.to_window(services, article_id, under_id)
    return await make_cached_response(
        request,
        services.cache,
        article_id,
        f"tree {_name(window)}",
        lambda: build_tree(services, article_id, window),
        pointer=await services.cache.begin_read(article_id),
        min_version=params.min_version or 0,
    )


async def find_article_of(services: Services, comment_id: UUID) -> UUID:
    """Return the id of the article that a comment is under. Raises CommentNotFound."""
    article_id = await services.lookups.find(
        ("comment", comment_id), lambda session: queries.find_article_of(session, comment_id)
    )
    if article_id is None:
        raise CommentNotFound
    return article_id


def _name(window: Window) -> str:
    """Return the name of a window among an article's responses."""
    after = window.after
    position = f"{after.key!r} {after.id} {after.passed}" if after else "start"
    limits = f"{window.limit} {window.children} {window.depth}"
    return f"{window.under_id} {window.sort} {limits} {position}"
