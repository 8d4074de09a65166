"""HTTP for settings of articles and tags."""

from typing import Annotated

from fastapi import Request, Response

from api.articles.cached_reads import read_article
from api.articles.errors import ArticleNotFound
from api.articles.routes import ArticleRef, ArticleTurn, TagPath
from api.articles.schemas import ArticleRead
from api.auth.actor import Actor
from api.auth.dependencies import requires
from api.auth.quotas import Action, limit
from api.auth.scopes import Scope
from api.kit.dependencies import ReadSession, UowDep
from api.kit.http.conditional import IfMatch, Resource, make_resource_response
from api.kit.http.problem_responses import problems
from api.kit.http.routing import make_router
from api.moderation.errors import NotAModerator, OutsideYourScope, PinnedCommentNotShown
from api.moderation.settings import service
from api.moderation.settings.schemas import ArticleSettingsPut, TagSettingsPut, TagSettingsRead
from models import TagSettings

router = make_router("articles")

ArticleModerator = Annotated[Actor, requires(Scope.ARTICLES_MODERATE)]


@router.put(
    "/articles/{article}/settings",
    response_model=ArticleRead,
    responses=problems(ArticleNotFound, NotAModerator, OutsideYourScope, PinnedCommentNotShown),
    dependencies=[limit(Action.ARTICLE_EDIT), ArticleTurn],
)
async def replace_article_settings(
    request: Request,
    article: ArticleRef,
    body: ArticleSettingsPut,
    actor: ArticleModerator,
    uow: UowDep,
    if_match: IfMatch,
) -> Response:
    """Replace an article's settings.

    For moderators. The ETag of the article is that of its settings. A pinned comment that is no
    longer shown is no longer pinned.
    """
    row = await service.update_article_settings(uow, actor, article, body, if_match)
    return await make_resource_response(
        request,
        read_article(row),
        resource=Resource("article", row.article.id),
        revision=row.article.revision,
    )


@router.get(
    "/tags/{tag}/settings", response_model=TagSettingsRead, responses=problems(NotAModerator)
)
async def read_tag_settings(
    request: Request, tag: TagPath, actor: ArticleModerator, session: ReadSession
) -> Response:
    """Get a tag's settings.

    For moderators. A tag that nobody has used has the defaults.
    """
    settings = await service.find_tag_settings(session, actor, tag)
    return await _make_response(request, tag, settings)


@router.put(
    "/tags/{tag}/settings",
    response_model=TagSettingsRead,
    responses=problems(NotAModerator),
    dependencies=[limit(Action.ARTICLE_EDIT)],
)
async def replace_tag_settings(
    request: Request,
    tag: TagPath,
    body: TagSettingsPut,
    actor: ArticleModerator,
    uow: UowDep,
    if_match: IfMatch,
) -> Response:
    """Replace a tag's settings.

    For moderators of the whole forum.
    """
    settings = await service.update_tag_settings(uow, actor, tag, body, if_match)
    return await _make_response(request, tag, settings)


async def _make_response(request: Request, tag: str, settings: TagSettings | None) -> Response:
    """Return the settings of a tag; without any they are the defaults, as revision 0."""
    content = TagSettingsRead(
        tag=tag,
        is_pre_moderated=settings is not None and settings.is_pre_moderated,
        updated_at=None if settings is None else settings.updated_at,
    )
    return await make_resource_response(
        request,
        content,
        resource=service.get_resource(tag),
        revision=0 if settings is None else settings.revision,
    )
