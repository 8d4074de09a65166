"""Publishing, changing and taking back articles."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from api.articles import policy, queries
from api.articles.errors import ArticleNotFound, ExternalIdTaken, SlugTaken
from api.articles.events import ArticleCreated, ArticleDeleted, ArticleEdited
from api.articles.queries import ArticleRow
from api.articles.schemas import ArticleCreate, ArticleUpdate, ArticleUpsert
from api.articles.slugs import make_stem, number
from api.auth.actor import Actor
from api.kit import markup
from api.kit.conditional import ExpectedRevision, check_revision
from api.kit.database import refusing
from api.kit.ids import make_id
from api.kit.uow import Uow
from models import Article

# Tries at a slug that others took while it was being chosen; then the id goes into it.
_SLUG_TRIES = 3


async def create_article(uow: Uow, actor: Actor, body: ArticleCreate) -> ArticleRow:
    """Publish an article. Raises SlugTaken or ExternalIdTaken."""
    document = markup.parse(body.body)
    article = Article(
        id=make_id(),
        slug=body.slug or "",
        title=body.title,
        body=document.source,
        html=document.render(),
        url=body.url,
        external_id=body.external_id,
        author_id=actor.id,
        created_at=uow.now,
        last_activity_at=uow.now,
    )
    await add_article(uow, article)
    await queries.replace_tags(uow.session, article.id, body.tags)
    uow.emit(ArticleCreated(article_id=article.id))
    return await _read_back(uow, article)


async def add_article(uow: Uow, article: Article) -> None:
    """Store an article, with a slug from its title if it has none.

    Raises SlugTaken for a slug that was chosen, ExternalIdTaken.
    """
    conflicts = {"uq_articles_external_id": ExternalIdTaken, "uq_articles_slug": SlugTaken}
    is_chosen = bool(article.slug)
    stem = make_stem(article.title)
    for _ in range(1 if is_chosen else _SLUG_TRIES):
        if not is_chosen:
            article.slug = number(stem, await queries.find_slugs(uow.session, stem))
        try:
            with refusing(conflicts):
                async with uow.session.begin_nested():
                    uow.session.add(article)
        except SlugTaken:
            if is_chosen:
                raise
        else:
            return
    article.slug = f"{stem}-{article.id.hex[-12:]}"
    with refusing(conflicts):
        uow.session.add(article)
        await uow.session.flush()


async def update_article(
    uow: Uow, actor: Actor, ref: str, body: ArticleUpdate, expected: ExpectedRevision
) -> ArticleRow:
    """Change an article. Raises ArticleNotFound, NotYourArticle or PreconditionFailed."""
    article = await queries.lock_article(uow.session, queries.refers_to(ref))
    if article is None:
        raise ArticleNotFound
    policy.require_may_edit(actor, article)
    check_revision(expected, article.revision)
    await _change(uow, article, body.model_dump(exclude_unset=True))
    return await _read_back(uow, article)


async def upsert_article(
    uow: Uow, actor: Actor, external_id: str, body: ArticleUpsert
) -> tuple[ArticleRow, bool]:
    """Create the article of an external id, or change it; tell whether it is new.

    Raises NotYourArticle, or ExternalIdTaken when the article was deleted or somebody else
    creates it at this moment.
    """
    article = await queries.lock_article(uow.session, col(Article.external_id) == external_id)
    if article is None:
        created = ArticleCreate(
            title=body.title,
            body=body.body,
            url=body.url,
            tags=body.tags,
            external_id=external_id,
        )
        return await create_article(uow, actor, created), True
    policy.require_may_edit(actor, article)
    await _change(uow, article, body.model_dump())
    return await _read_back(uow, article), False


async def delete_article(uow: Uow, actor: Actor, ref: str, expected: ExpectedRevision) -> None:
    """Take an article back, with its thread. Raises as `update_article` does."""
    article = await queries.lock_article(uow.session, queries.refers_to(ref))
    if article is None:
        raise ArticleNotFound
    policy.require_may_edit(actor, article)
    check_revision(expected, article.revision)
    article.deleted_at = uow.now
    article.version += 1
    uow.emit(ArticleDeleted(article_id=article.id, version=article.version))


async def get_article(session: AsyncSession, ref: str) -> ArticleRow:
    """Return a visible article. Raises ArticleNotFound."""
    row = await queries.find_article(session, ref)
    if row is None:
        raise ArticleNotFound
    return row


async def _change(uow: Uow, article: Article, changes: dict[str, Any]) -> None:
    """Set what is different; a request that changes nothing makes no new version."""
    tags = changes.pop("tags", None)
    for nullable_in_requests_only in ("title", "body", "is_locked"):
        if changes.get(nullable_in_requests_only, ...) is None:
            del changes[nullable_in_requests_only]
    if "body" in changes:
        document = markup.parse(changes["body"])
        changes |= {"body": document.source, "html": document.render()}
    changed = {name: value for name, value in changes.items() if getattr(article, name) != value}
    for name, value in changed.items():
        setattr(article, name, value)
    row = await queries.find_article(uow.session, str(article.id))
    has_new_tags = tags is not None and row is not None and tags != row.tags
    if has_new_tags:
        await queries.replace_tags(uow.session, article.id, tags)
    if not changed and not has_new_tags:
        return
    article.edited_at = uow.now
    article.revision += 1
    article.version += 1
    uow.emit(ArticleEdited(article_id=article.id, version=article.version))


async def _read_back(uow: Uow, article: Article) -> ArticleRow:
    """Return the article as readers will see it, with what PostgreSQL computed."""
    await uow.session.flush()
    await uow.session.refresh(article)
    return await get_article(uow.session, str(article.id))
