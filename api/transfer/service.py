"""Importing a thread: in one transaction, safe to repeat, without notifications."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import col

from api.articles.errors import ExternalIdTaken
from api.articles.queries import lock_article
from api.articles.service import import_article
from api.comments import imports as comments
from api.comments.events import ThreadImported
from api.kit.db.unit_of_work import UnitOfWork
from api.kit.text.rendering import TextTooLarge
from api.transfer import queries
from api.transfer.thread_file import ImportedArticle, ImportedComment, ThreadFile, ThreadFileError
from api.users.service import adopt_author
from models import Article


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The result of an import."""

    article_id: UUID
    slug: str
    added: int
    known: int
    # Of the added ones, those that screening hides until a moderator has looked at them.
    held: int = 0


async def import_thread(
    uow: UnitOfWork, thread: ThreadFile, advance: Callable[[], None] = lambda: None
) -> ImportReport:
    """Store a thread, or the new comments of a known one. `advance` is called after each comment.

    Raises ThreadFileError when the thread cannot be stored as it is.
    """
    if not await queries.claim_import(uow.session):
        # Two at once would both create the article and the missing authors.
        raise ThreadFileError("another import is running. Try again when it has ended.")
    article, is_new = await _find_or_add_article(uow, thread.article)
    ids = await comments.find_imported(uow, article.id)
    missing = [comment for comment in thread.comments if str(comment.n) not in ids]
    report = ImportReport(
        article.id,
        article.slug,
        added=len(missing),
        known=len(thread.comments) - len(missing),
    )
    if not missing and not is_new:
        return report
    authors = await _adopt_authors(uow, missing)
    moments = {comment.n: _choose_moment(uow, article, comment) for comment in missing}
    version = await comments.open_import(
        uow,
        article.id,
        comments=len(missing),
        roots=sum(comment.replies_to is None for comment in missing),
        active_at=max(moments.values(), default=None),
    )
    for comment in missing:
        ids[str(comment.n)] = await _add_comment(
            uow,
            comment,
            article_id=article.id,
            parent_id=None if comment.replies_to is None else ids[str(comment.replies_to)],
            author_id=None if comment.author is None else authors[comment.author],
            created_at=moments[comment.n],
            version=version,
        )
        advance()
    uow.emit(
        ThreadImported(
            article_id=article.id,
            version=version,
            comment_ids=tuple(ids[str(comment.n)] for comment in missing),
        )
    )
    imported = [
        (ids[str(one.n)], None if one.author is None else authors[one.author], one.body)
        for one in missing
    ]
    return replace(report, held=await comments.hold_imported(uow, article.id, imported))


async def _find_or_add_article(uow: UnitOfWork, imported: ImportedArticle) -> tuple[Article, bool]:
    """Return the article, and whether it is new."""
    external_id = _make_external_id(imported)
    known = await lock_article(uow.session, col(Article.external_id) == external_id)
    if known is not None:
        return known, False
    if imported.published_at > uow.now:
        raise ThreadFileError("published_on is in the future.")
    author = await adopt_author(uow, imported.author) if imported.author else None
    try:
        article = await import_article(
            uow,
            external_id=external_id,
            title=imported.title,
            body=imported.body,
            author_id=author.id if author else None,
            created_at=imported.published_at,
        )
    except ExternalIdTaken as error:
        raise ThreadFileError("its article was imported before, and deleted here.") from error
    except TextTooLarge as error:
        raise ThreadFileError(f"the article's text renders to too much. {error}") from error
    return article, True


def _make_external_id(imported: ImportedArticle) -> str:
    """Return an id that is the same for the same article: from title, author and day.

    It contains a space, which the ids of clients may not: no client can have taken it.
    """
    identity = "\n".join((imported.title, imported.author or "", str(imported.published_on)))
    return "import " + hashlib.sha256(identity.encode()).hexdigest()[:32]


async def _adopt_authors(uow: UnitOfWork, imported: Sequence[ImportedComment]) -> dict[str, UUID]:
    """Return the ids of the comments' authors by name; mentions are resolved after all exist."""
    authors: dict[str, UUID] = {}
    for comment in imported:
        if comment.author is not None and (comment.author not in authors or comment.formerly):
            author = await adopt_author(uow, comment.author, formerly=comment.formerly)
            authors[comment.author] = author.id
    return authors


def _choose_moment(uow: UnitOfWork, article: Article, comment: ImportedComment) -> datetime:
    """Return the time that a comment gets.

    Pages name no times: the order of the file becomes the order of time, a second apart, but none
    in the future; of equal moments the id decides, which has the same order.
    """
    return min(article.created_at + timedelta(seconds=comment.n), uow.now)


async def _add_comment(
    uow: UnitOfWork,
    comment: ImportedComment,
    *,
    article_id: UUID,
    parent_id: UUID | None,
    author_id: UUID | None,
    created_at: datetime,
    version: int,
) -> UUID:
    try:
        stored = await comments.import_comment(
            uow,
            article_id=article_id,
            external_id=str(comment.n),
            parent_id=parent_id,
            author_id=author_id,
            body=comment.body,
            created_at=created_at,
            version=version,
        )
    except TextTooLarge as error:
        raise ThreadFileError(f"comment {comment.n} renders to too much. {error}") from error
    if stored is None:
        raise ThreadFileError(
            f"comment {comment.n} replies to {comment.replies_to}, which is no longer shown here."
        )
    return stored
