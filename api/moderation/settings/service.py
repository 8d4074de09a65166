"""Read and replace the settings of articles and tags; each change is logged."""

from uuid import NAMESPACE_URL, UUID, uuid5

from sqlalchemy.ext.asyncio import AsyncSession

from api.articles import queries as articles
from api.articles import service as articles_service
from api.articles.errors import ArticleNotFound
from api.articles.queries import ArticleRow
from api.auth.actor import Actor
from api.comments import queries as comments
from api.comments.visibility import is_visible
from api.kit.db.unit_of_work import UnitOfWork
from api.kit.http.conditional import ExpectedRevision, Resource, check_revision
from api.moderation.errors import PinnedCommentNotShown
from api.moderation.log.service import log_change
from api.moderation.policy import (
    require_global,
    require_may_moderate,
    require_moderator,
    to_moderator,
)
from api.moderation.settings.schemas import ArticleSettingsPut, TagSettingsPut
from models import LogAction, TagSettings


async def update_article_settings(
    uow: UnitOfWork, actor: Actor, ref: str, body: ArticleSettingsPut, expected: ExpectedRevision
) -> ArticleRow:
    """Replace the settings of an article; the same settings again change nothing.

    Raises ArticleNotFound, NotAModerator, OutsideYourScope, PreconditionFailed or
    PinnedCommentNotShown.
    """
    article = await articles.lock_article(uow.session, articles.refers_to(ref))
    if article is None:
        raise ArticleNotFound
    tags = await articles.find_tags(uow.session, article.id)
    scope = to_moderator(actor).scope
    require_moderator(scope)
    require_may_moderate(scope, article.id, tags)
    check_revision(expected, Resource("article", article.id), article.revision)
    if body.pinned_comment_id is not None:
        await _require_shown(uow.session, article.id, body.pinned_comment_id)
    before = articles_service.change_settings(uow, article, body.model_dump())
    if before:
        after = {name: getattr(article, name) for name in before}
        log_change(uow, actor.id, LogAction.CHANGE_ARTICLE, before, after, article_id=article.id)
    return await articles_service.get_article(uow.session, article.id)


async def find_tag_settings(session: AsyncSession, actor: Actor, tag: str) -> TagSettings | None:
    """Return the settings of a tag that has some. Raises NotAModerator."""
    require_global(to_moderator(actor).scope)
    return await articles.find_tag_settings(session, tag)


async def update_tag_settings(
    uow: UnitOfWork, actor: Actor, tag: str, body: TagSettingsPut, expected: ExpectedRevision
) -> TagSettings:
    """Replace the settings of a tag; the same settings again change nothing.

    Raises NotAModerator or PreconditionFailed.
    """
    require_global(to_moderator(actor).scope)
    settings = await articles.lock_tag_settings(uow.session, tag, uow.now)
    check_revision(expected, get_resource(tag), settings.revision)
    before = articles_service.change_tag_settings(uow, settings, body.model_dump())
    if before:
        after = {name: getattr(settings, name) for name in before}
        log_change(
            uow, actor.id, LogAction.CHANGE_TAG, {"tag": tag, **before}, {"tag": tag, **after}
        )
    return settings


def get_resource(tag: str) -> Resource:
    """Return what an entity tag of a tag's settings is of."""
    return Resource("tag_settings", uuid5(NAMESPACE_URL, tag))


async def _require_shown(session: AsyncSession, article_id: UUID, comment_id: UUID) -> None:
    comment = await comments.find_comment(session, comment_id)
    if comment is None or comment.article_id != article_id or not is_visible(comment.state):
        raise PinnedCommentNotShown
