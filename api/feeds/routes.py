"""HTTP for feeds."""

from typing import Any, Final

from fastapi import Request, Response

from api.articles.cached_reads import LISTS, find_article_id
from api.articles.errors import ArticleNotFound
from api.articles.routes import ArticleRef, TagPath
from api.feeds import service
from api.kit.cache.responses import make_cached_response
from api.kit.db.database import DatabaseUnavailable
from api.kit.dependencies import ReadSession, ServicesDep
from api.kit.http.cacheability import public_response
from api.kit.http.problem_responses import problems
from api.kit.http.routing import make_router
from api.kit.services import Services
from api.kit.text.atom import MEDIA_TYPE
from api.users import queries as users
from api.users.errors import UserNotFound
from api.users.routes import HandlePath

router = make_router("feeds")

_EXAMPLE = '<feed xmlns="http://www.w3.org/2005/Atom"><title>Articles</title>...</feed>'
_ATOM: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "An Atom feed (RFC 4287).",
        "content": {MEDIA_TYPE: {"schema": {"type": "string"}, "example": _EXAMPLE}},
    }
}


@router.get(
    "/articles.atom",
    response_class=Response,
    responses={**_ATOM, **problems(DatabaseUnavailable)},
)
@public_response
async def read_articles_feed(request: Request, services: ServicesDep) -> Response:
    """Get a feed of articles.

    The newest 50, as Atom.
    """
    return await _respond_with_articles(request, services, None, "/v1/articles.atom")


@router.get(
    "/tags/{tag}/articles.atom",
    response_class=Response,
    responses={**_ATOM, **problems(DatabaseUnavailable)},
)
@public_response
async def read_tag_feed(request: Request, tag: TagPath, services: ServicesDep) -> Response:
    """Get a feed of a tag.

    The newest 50 articles with it, as Atom.
    """
    return await _respond_with_articles(request, services, tag, f"/v1/tags/{tag}/articles.atom")


@router.get(
    "/articles/{article}/comments.atom",
    response_class=Response,
    responses={**_ATOM, **problems(ArticleNotFound, DatabaseUnavailable)},
)
@public_response
async def read_comments_feed(
    request: Request, article: ArticleRef, services: ServicesDep
) -> Response:
    """Get a feed of a thread.

    The newest 50 comments, as Atom.
    """
    article_id = await find_article_id(services, article)
    return await make_cached_response(
        request,
        services.cache,
        article_id,
        "feed",
        lambda: service.build_thread(services, article_id),
        pointer=await services.cache.begin_read(article_id),
        media_type=MEDIA_TYPE,
    )


@router.get(
    "/users/{handle}/comments.atom",
    response_class=Response,
    responses={**_ATOM, **problems(UserNotFound)},
)
@public_response
async def read_person_feed(
    handle: HandlePath, session: ReadSession, services: ServicesDep
) -> Response:
    """Get a feed of a person.

    Their newest 50 comments, as Atom.
    """
    user = await users.find_user(session, handle)
    if user is None:
        raise UserNotFound
    return Response(await service.write_person(services, session, user), media_type=MEDIA_TYPE)


async def _respond_with_articles(
    request: Request, services: Services, tag: str | None, path: str
) -> Response:
    pointer = await services.cache.begin_counted_read(LISTS)
    return await make_cached_response(
        request,
        services.cache,
        LISTS,
        f"feed {tag}",
        lambda: service.build_articles(services, tag=tag, path=path, version=pointer.version),
        pointer=pointer,
        media_type=MEDIA_TYPE,
    )
