"""Create, edit and delete articles."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from api.articles import lifecycle, policy, queries
from api.articles.errors import ArticleNotFound, ExternalIdTaken, SlugTaken
from api.articles.events import ArticleCreated, ArticleEdited, ArticleFlagged, ArticleModerated
from api.articles.queries import ArticleRow
from api.articles.schemas import ArticleCreate, ArticleUpdate, ArticleUpsert
from api.articles.slugs import make_own_slug, make_stem, propose_slugs
from api.auth.actor import Actor, ActorKind, kind_of
from api.auth.policy import writes_as_staff
from api.kit.db.database import map_integrity_errors
from api.kit.db.ids import make_id
from api.kit.db.unit_of_work import UnitOfWork
from api.kit.http.conditional import ExpectedRevision, Resource, check_revision
from api.kit.services import Services
from api.kit.text.rendering import parse_text, render_text
from api.screening import service as screening
from api.screening.candidate import Author, Candidate
from api.screening.errors import ArticleRejected
from api.screening.verdict import PUBLISHED, Finding, Verdict
from models import Article, Outcome, SanctionKind, TagSettings


@dataclass(frozen=True, slots=True)
class Text:
    """A text as it is stored, what readers see of it, and where it links to."""

    source: str
    html: str
    links: list[str]


async def create_article(
    uow: UnitOfWork,
    services: Services,
    actor: Actor,
    body: ArticleCreate,
    *,
    external: Sequence[Finding] = (),
) -> ArticleRow:
    """Create an article; `external` is what services outside say of the text.

    Raises ArticleRejected, SlugTaken, ExternalIdTaken or TextTooLarge.
    """
    text = await _render(body.body)
    # Under no article yet: who moderates a tag does so from the first.
    placed = actor.at(make_id(), body.tags)
    verdict = await _screen(
        uow, services, placed, title=body.title, text=text, url=body.url, external=external
    )
    row = await _create(uow, actor, body, text)
    await _record(uow, verdict, row.article)
    return row


async def import_article(
    uow: UnitOfWork,
    *,
    external_id: str,
    title: str,
    body: str,
    author_id: UUID | None,
    created_at: datetime,
) -> Article:
    """Store an imported article; nobody is notified. Screening flags it at most.

    Raises ExternalIdTaken or TextTooLarge.
    """
    text = await _render(body)
    limits, rules = await screening.load_rules(uow.session)
    candidate = Candidate(
        author=Author(id=author_id),
        limits=limits,
        title=title,
        body=text.source,
        links=text.links,
        is_import=True,
    )
    verdict = await screening.decide_with(candidate, rules)
    article = Article(
        id=make_id(),
        slug="",
        title=title,
        body=text.source,
        html=text.html,
        external_id=external_id,
        author_id=author_id,
        created_at=created_at,
        last_activity_at=created_at,
    )
    await _add(uow, article)
    await _record(uow, verdict, article)
    return article


async def update_article(
    uow: UnitOfWork,
    services: Services,
    actor: Actor,
    ref: str,
    body: ArticleUpdate,
    expected: ExpectedRevision,
    *,
    external: Sequence[Finding] = (),
) -> ArticleRow:
    """Edit an article; null leaves a field as it is, but removes the address.

    Raises ArticleNotFound, NotYourArticle, PreconditionFailed, ArticleRejected or TextTooLarge.
    """
    changes = {
        name: value
        for name, value in body.model_dump(exclude_unset=True).items()
        if value is not None or name == "url"
    }
    # Outside the lock, on which replies wait.
    text = None if body.body is None else await _render(body.body)
    verdict = PUBLISHED
    if body.title is not None or text is not None or body.url is not None:
        placed = await queries.place_at(uow.session, actor, queries.refers_to(ref))
        verdict = await _screen(
            uow, services, placed, title=body.title, text=text, url=body.url, external=external
        )
    article = await _lock(uow, actor, queries.refers_to(ref))
    if article is None:
        raise ArticleNotFound
    check_revision(expected, Resource("article", article.id), article.revision)
    await _change(uow, actor, article, changes, text)
    await _record(uow, verdict, article)
    return await get_article(uow.session, article.id)


async def upsert_article(
    uow: UnitOfWork,
    services: Services,
    actor: Actor,
    external_id: str,
    body: ArticleUpsert,
    *,
    external: Sequence[Finding] = (),
) -> tuple[ArticleRow, bool]:
    """Create the article of an external id, or replace it; return whether it is new.

    Raises NotYourArticle, ArticleRejected, TextTooLarge, or ExternalIdTaken when the article was
    deleted.
    """
    text = await _render(body.body)
    is_known = col(Article.external_id) == external_id
    placed = await queries.place_at(uow.session, actor, is_known)
    verdict = await _screen(
        uow, services, placed, title=body.title, text=text, url=body.url, external=external
    )
    article = await _lock(uow, actor, is_known)
    if article is None:
        created = ArticleCreate(external_id=external_id, **body.model_dump())
        try:
            row = await _create(uow, actor, created, text)
        except ExternalIdTaken:
            # Another request was faster, or a deleted article has the id.
            article = await _lock(uow, actor, is_known)
            if article is None:
                raise
        else:
            await _record(uow, verdict, row.article)
            return row, True
    await _change(uow, actor, article, body.model_dump(), text)
    await _record(uow, verdict, article)
    return await get_article(uow.session, article.id), False


async def delete_article(
    uow: UnitOfWork, actor: Actor, ref: str, expected: ExpectedRevision
) -> None:
    """Delete an article as its author, or remove it as a moderator; its thread goes with it.

    Raises ArticleNotFound, NotYourArticle or PreconditionFailed.
    """
    article = await _lock(uow, actor, queries.refers_to(ref))
    if article is None:
        raise ArticleNotFound
    check_revision(expected, Resource("article", article.id), article.revision)
    actor = await queries.place_actor(uow.session, actor, article.id)
    lifecycle.change_state(uow, article, policy.get_state_after_delete(actor, article))
    _note_moderation(uow, actor, article, is_removed=True)


def change_settings(
    uow: UnitOfWork, article: Article, settings: Mapping[str, Any]
) -> dict[str, Any]:
    """Set what differs on an article, whose row the caller has locked; return what was before.

    Settings are no edit that readers need to know about, but they make a new revision and version.
    """
    before = _set_changed(article, settings)
    if before:
        article.revision += 1
        article.version += 1
        uow.emit(ArticleEdited(article_id=article.id, version=article.version))
    return before


def change_tag_settings(
    uow: UnitOfWork, settings: TagSettings, changes: Mapping[str, Any]
) -> dict[str, Any]:
    """Set what differs on a tag, whose row the caller has locked; return what was before."""
    before = _set_changed(settings, changes)
    if before:
        settings.revision += 1
        settings.updated_at = uow.now
    return before


def _set_changed(row: Article | TagSettings, values: Mapping[str, Any]) -> dict[str, Any]:
    before = {name: getattr(row, name) for name in values}
    changed = {name: value for name, value in before.items() if value != values[name]}
    for name in changed:
        setattr(row, name, values[name])
    return changed


async def get_article(session: AsyncSession, ref: str | UUID) -> ArticleRow:
    """Return a visible article. Raises ArticleNotFound."""
    row = await queries.find_article(session, ref)
    if row is None:
        raise ArticleNotFound
    return row


async def _render(body: str) -> Text:
    document = await parse_text(body)
    return Text(document.source, await render_text(document), document.list_links())


async def _screen(
    uow: UnitOfWork,
    services: Services,
    actor: Actor,
    *,
    title: str | None,
    text: Text | None,
    url: str | None,
    external: Sequence[Finding],
) -> Verdict:
    """Return what becomes of a new title or text. Raises ArticleRejected.

    Also for one that would be held: an article has no state in which it could wait.
    """
    author = Author(
        id=actor.id,
        is_staff=writes_as_staff(actor),
        is_newcomer=kind_of(actor, uow.now) is ActorKind.NEWCOMER,
        is_shadow_banned=SanctionKind.SHADOW_BAN in actor.restrictions,
        is_pre_moderated=SanctionKind.PRE_MODERATION in actor.restrictions,
    )
    limits = await screening.get_limits(uow.session)
    candidate = Candidate(
        author=author,
        # The first comments of a person are no matter of articles.
        limits=replace(limits, held_first_comments=0),
        title=title,
        body=text.source if text else "",
        links=[*(text.links if text else ()), *([url] if url else ())],
        external=external,
    )
    verdict = await screening.screen(services, uow.session, candidate)
    if verdict.outcome in (Outcome.HOLD, Outcome.REJECT):
        verdict = replace(verdict, outcome=Outcome.REJECT)
        await screening.record(uow, verdict, author_id=actor.id)
        screening.refuse(uow, verdict, ArticleRejected)
    return verdict


async def _record(uow: UnitOfWork, verdict: Verdict, article: Article) -> None:
    await screening.record(
        uow,
        verdict,
        article_id=article.id,
        author_id=article.author_id,
        revision=article.revision,
    )
    if verdict.findings:
        phases = dict.fromkeys(finding.phase.value for finding in verdict.findings)
        uow.emit(
            ArticleFlagged(article_id=article.id, author_id=article.author_id, phases=tuple(phases))
        )


async def _create(uow: UnitOfWork, actor: Actor, body: ArticleCreate, text: Text) -> ArticleRow:
    article = Article(
        id=make_id(),
        slug=body.slug or "",
        title=body.title,
        body=text.source,
        html=text.html,
        url=body.url,
        external_id=body.external_id,
        author_id=actor.id,
        created_at=uow.now,
        last_activity_at=uow.now,
    )
    await _add(uow, article)
    await queries.replace_tags(uow.session, article.id, body.tags)
    uow.emit(ArticleCreated(article_id=article.id, version=article.version))
    return await get_article(uow.session, article.id)


async def _add(uow: UnitOfWork, article: Article) -> None:
    """Store an article, with a slug from its title if it has none.

    Raises SlugTaken for a slug that was chosen, ExternalIdTaken.
    """
    if article.slug:
        await _insert(uow, article)
        return
    stem = make_stem(article.title)
    proposed = propose_slugs(stem)
    taken = await queries.find_slugs(uow.session, proposed)
    own = make_own_slug(stem, article.id)
    article.slug = next((slug for slug in proposed if slug not in taken), own)
    try:
        await _insert(uow, article)
    except SlugTaken:
        # Another article with the same title was faster.
        article.slug = own
        await _insert(uow, article)


async def _insert(uow: UnitOfWork, article: Article) -> None:
    """Insert the row in a savepoint: after a conflict the transaction is still usable."""
    conflicts = {"uq_articles_external_id": ExternalIdTaken, "uq_articles_slug": SlugTaken}
    with map_integrity_errors(conflicts):
        async with uow.session.begin_nested():
            uow.session.add(article)


async def _lock(uow: UnitOfWork, actor: Actor, where: ColumnElement[bool]) -> Article | None:
    """Return a visible article, locked, that the actor may change. Raises NotYourArticle."""
    article = await queries.lock_article(uow.session, where)
    if article is not None:
        actor = await queries.place_actor(uow.session, actor, article.id)
        policy.require_may_edit(actor, article)
    return article


def _note_moderation(
    uow: UnitOfWork,
    actor: Actor,
    article: Article,
    *,
    is_removed: bool = False,
    changed: Sequence[str] = (),
) -> None:
    """Let the log know of what somebody else than the author did to an article."""
    if article.author_id != actor.id:
        uow.emit(
            ArticleModerated(
                article_id=article.id,
                author_id=article.author_id,
                moderator_id=actor.id,
                is_removed=is_removed,
                changed=tuple(changed),
            )
        )


async def _change(
    uow: UnitOfWork, actor: Actor, article: Article, changes: dict[str, Any], text: Text | None
) -> None:
    """Set what differs; a request that changes nothing makes no new version."""
    tags = changes.pop("tags", None)
    if text is not None:
        changes |= {"body": text.source, "html": text.html}
    changed = {name: value for name, value in changes.items() if getattr(article, name) != value}
    has_new_tags = tags is not None and tags != await queries.find_tags(uow.session, article.id)
    if not changed and not has_new_tags:
        return
    for name, value in changed.items():
        setattr(article, name, value)
    if has_new_tags:
        await queries.replace_tags(uow.session, article.id, tags)
    # Locking the discussion is not an edit that readers need to know about.
    if has_new_tags or changed.keys() != {"is_locked"}:
        article.edited_at = uow.now
    article.revision += 1
    article.version += 1
    uow.emit(ArticleEdited(article_id=article.id, version=article.version))
    names = [*(name for name in changed if name != "html"), *(["tags"] if has_new_tags else [])]
    _note_moderation(uow, actor, article, changed=names)
