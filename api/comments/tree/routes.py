"""HTTP for trees of comments: of an article, under a comment, and around one."""

from typing import Annotated

from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel

from api.articles.errors import ArticleNotFound
from api.articles.routes import ArticleRef
from api.auth.actor import Actor
from api.auth.dependencies import find_actor_if_valid
from api.auth.scopes import Scope
from api.comments.errors import CommentNotFound
from api.comments.own_comments import get_own_context, get_own_tree
from api.comments.schemas import (
    MAX_CHILDREN,
    MAX_LEVELS,
    MAX_ROOTS,
    CommentContext,
    CommentId,
    CommentSort,
    CommentTree,
)
from api.comments.tree import cached_reads
from api.comments.tree.cached_reads import (
    DEFAULT_CHILDREN,
    DEFAULT_DEPTH,
    DEFAULT_LIMIT,
    DEFAULT_SORT,
    TreeParams,
)
from api.comments.tree.cursors import Window
from api.kit.cache.responses import VersionNotReached
from api.kit.db.database import DatabaseUnavailable
from api.kit.dependencies import ServicesDep
from api.kit.http.cacheability import keep_private, public_response
from api.kit.http.conditional import get_epoch, make_revision_etags
from api.kit.http.pagination import MAX_CURSOR_LENGTH, InvalidCursor
from api.kit.http.problem_responses import problems
from api.kit.http.routing import make_router

router = make_router("comments")

Ancestors = Annotated[
    int, Query(ge=0, le=200, description="The largest number of ancestors; the nearest are kept.")
]
Children = Annotated[
    int,
    Query(
        ge=0, le=MAX_CHILDREN, description="The largest number of replies shown under each comment."
    ),
]
Depth = Annotated[int, Query(ge=1, le=MAX_LEVELS, description="The number of levels shown.")]


async def read_tree_params(
    # No `default` in the document: generated clients would send it beside a cursor that differs.
    sort: Annotated[CommentSort | None, Query(description="By default `best`.")] = None,
    limit: Annotated[
        int | None,
        Query(
            ge=1,
            le=MAX_ROOTS,
            description="The largest number of comments at the top of the page. "
            f"By default {DEFAULT_LIMIT}.",
        ),
    ] = None,
    children: Annotated[
        int | None,
        Query(
            ge=0,
            le=MAX_CHILDREN,
            description="The largest number of replies shown under each comment. "
            f"By default {DEFAULT_CHILDREN}.",
        ),
    ] = None,
    depth: Annotated[
        int | None,
        Query(
            ge=1,
            le=MAX_LEVELS,
            description=f"The number of levels shown. By default {DEFAULT_DEPTH}.",
        ),
    ] = None,
    cursor: Annotated[
        str | None,
        Query(
            max_length=MAX_CURSOR_LENGTH,
            description="A `next_cursor` of the page or of any comment in it. It contains the "
            "parameters it was made with: leave them out, or send the same ones.",
        ),
    ] = None,
    min_version: Annotated[
        int | None,
        Query(
            ge=0,
            le=2**53,
            description="The version that your own write returned: the page is at least as new.",
        ),
    ] = None,
) -> TreeParams:
    """Return the parameters of a tree as they were sent."""
    return TreeParams(
        sort=sort,
        limit=limit,
        children=children,
        depth=depth,
        cursor=cursor,
        min_version=min_version,
    )


async def find_author(request: Request) -> Actor | None:
    """Return who may get what only its author sees; the route is public for everybody else."""
    actor = await find_actor_if_valid(request)
    return actor if actor is not None and Scope.PROFILE_READ in actor.scopes else None


TreeQuery = Annotated[TreeParams, Depends(read_tree_params)]
_TREE_PROBLEMS = (InvalidCursor, VersionNotReached, DatabaseUnavailable)


@router.get(
    "/articles/{article}/comments",
    response_model=CommentTree,
    responses={**problems(ArticleNotFound, *_TREE_PROBLEMS)},
)
@public_response
async def read_tree(
    request: Request, article: ArticleRef, params: TreeQuery, services: ServicesDep
) -> Response:
    """Get the comment tree.

    The same for everybody; `/v1/articles/{article}/viewer` has what depends on the reader.
    """
    return await cached_reads.get_article_tree(request, services, article, params)


@router.get(
    "/comments/{comment_id}/replies",
    response_model=CommentTree,
    responses={**problems(CommentNotFound, *_TREE_PROBLEMS)},
)
@public_response
async def read_replies(
    request: Request, comment_id: CommentId, params: TreeQuery, services: ServicesDep
) -> Response:
    """Get the replies to a comment.

    The response has the shape of an article's tree.
    """
    try:
        return await cached_reads.get_replies(request, services, comment_id, params)
    except CommentNotFound:
        actor = await find_author(request)
        if actor is None:
            raise
    epoch = await get_epoch(request)
    async with services.database.read_session() as session:
        sort = params.sort or DEFAULT_SORT
        return _make_private(await get_own_tree(session, actor, comment_id, sort, epoch=epoch))


@router.get(
    "/comments/{comment_id}/context",
    response_model=CommentContext,
    responses={**problems(CommentNotFound, DatabaseUnavailable)},
)
@public_response
async def read_context(
    request: Request,
    comment_id: CommentId,
    services: ServicesDep,
    ancestors: Ancestors = 10,
    sort: Annotated[CommentSort, Query(description="The order of replies.")] = DEFAULT_SORT,
    children: Children = DEFAULT_CHILDREN,
    depth: Depth = DEFAULT_DEPTH,
) -> Response:
    """Get a comment in context.

    With its ancestors and its replies, for a permalink.
    """
    window = Window(under_id=comment_id, sort=sort, limit=children, children=children, depth=depth)
    try:
        return await cached_reads.get_context(request, services, comment_id, window, ancestors)
    except CommentNotFound:
        actor = await find_author(request)
        if actor is None:
            raise
    make_etag = make_revision_etags(await get_epoch(request), "comment")
    async with services.database.read_session() as session:
        own = await get_own_context(
            session, actor, comment_id, sort, ancestors=ancestors, make_etag=make_etag
        )
    return _make_private(own)


def _make_private(content: BaseModel) -> Response:
    """Return a response for the one author who is asking, and for no cache."""
    return keep_private(Response(content.model_dump_json(), media_type="application/json"))
