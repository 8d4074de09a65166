"""HTTP for delta sync."""

from dataclasses import replace
from typing import Annotated

from fastapi import Query, Request, Response

from api.articles.cached_reads import find_article_id
from api.articles.errors import ArticleNotFound
from api.articles.routes import ArticleRef
from api.kit.cache.responses import make_cached_response
from api.kit.db.database import DatabaseUnavailable
from api.kit.dependencies import ServicesDep
from api.kit.http.cacheability import public_response
from api.kit.http.problem_responses import problems
from api.kit.http.routing import make_router
from api.realtime.changes.schemas import ArticleChanges
from api.realtime.changes.service import build_changes

router = make_router("comments")

DEFAULT_LIMIT = 200
MAX_LIMIT = 500


@router.get(
    "/articles/{article}/changes",
    response_model=ArticleChanges,
    responses={**problems(ArticleNotFound, DatabaseUnavailable)},
)
@public_response
async def read_changes(
    request: Request,
    article: ArticleRef,
    services: ServicesDep,
    since: Annotated[
        int,
        Query(
            ge=0,
            le=2**53,
            description="The `version` of the tree that you have; of several pages the smallest. "
            "Then the `next_since` of the response before.",
        ),
    ],
    epoch: Annotated[
        str | None,
        Query(max_length=64, description="The `epoch` that came with the version. Recommended."),
    ] = None,
    limit: Annotated[
        int,
        Query(
            ge=1,
            le=MAX_LIMIT,
            description="About how many comments the response has at most: those of one version "
            "stay together.",
        ),
    ] = DEFAULT_LIMIT,
) -> Response:
    """Get what changed in a thread.

    For clients that keep a tree. The same for everybody. `reset` is true if the version is unknown,
    more than 30 days old or too far behind, and after names changed or comments were imported.
    """
    article_id = await find_article_id(services, article)
    pointer = await services.cache.begin_read(article_id)
    if pointer.version is not None and pointer.version < since:
        # Redis has not heard of that version: only the database can tell.
        pointer = replace(pointer, version=None)
    known = since if epoch in (None, pointer.epoch) else None
    return await make_cached_response(
        request,
        services.cache,
        article_id,
        f"changes {known} {limit}",
        lambda: build_changes(services, article_id, known, limit=limit),
        pointer=pointer,
    )
