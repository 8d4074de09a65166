"""Bringing a thread in: in one transaction, safe to repeat, telling nobody."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlmodel import col

from api.articles import queries as articles
from api.articles.service import add_article
from api.comments import service as comments
from api.comments.events import ThreadImported
from api.kit.ids import make_id
from api.kit.rendering import parse_text, render_text
from api.kit.uow import Uow
from api.transfer.thread_file import ImportedArticle, ThreadFile, ThreadFileError
from api.users.service import adopt_author
from models import Article


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import came to."""

    article_id: UUID
    slug: str
    added: int
    known: int


async def import_thread(
    uow: Uow, thread: ThreadFile, advance: Callable[[], None] = lambda: None
) -> ImportReport:
    """Store a thread, or of a known one the comments that are new. `advance` is called after each.

    Raises ThreadFileError when the thread cannot be stored as it is.
    """
    article = await _find_or_add_article(uow, thread.article)
    known = await comments.find_imported(uow, article.id)
    missing = [comment for comment in thread.comments if str(comment.n) not in known]
    if not missing:
        return ImportReport(article.id, article.slug, added=0, known=len(thread.comments))
    version = await comments.open_import(
        uow, article.id, comments=len(missing), roots=sum(c.replies_to is None for c in missing)
    )
    authors: dict[str, UUID] = {}
    for comment in thread.comments:
        if comment.author is not None and (comment.author not in authors or comment.formerly):
            author = await adopt_author(uow, comment.author, formerly=comment.formerly)
            authors[comment.author] = author.id
    ids = dict(known)
    for comment in missing:
        parent_id = None if comment.replies_to is None else ids[str(comment.replies_to)]
        # Pages name no times: the order of the file becomes the order of time.
        stored = await comments.import_comment(
            uow,
            article_id=article.id,
            external_id=str(comment.n),
            parent_id=parent_id,
            author_id=authors[comment.author] if comment.author else None,
            body=comment.body,
            created_at=thread.article.published_at + timedelta(seconds=comment.n),
            version=version,
        )
        if stored is None:
            raise ThreadFileError(
                f"comment {comment.n} cannot stand under {comment.replies_to}: "
                "that one was taken back, or the thread is more than 200 levels deep there."
            )
        ids[str(comment.n)] = stored
        advance()
    uow.emit(ThreadImported(article_id=article.id, version=version))
    return ImportReport(
        article.id,
        article.slug,
        added=len(missing),
        known=len(thread.comments) - len(missing),
    )


async def _find_or_add_article(uow: Uow, imported: ImportedArticle) -> Article:
    external_id = _make_external_id(imported)
    known = await articles.lock_article(uow.session, col(Article.external_id) == external_id)
    if known is not None:
        return known
    document = await parse_text(imported.body)
    author = await adopt_author(uow, imported.author) if imported.author else None
    article = Article(
        id=make_id(),
        slug="",
        title=imported.title,
        body=document.source,
        html=await render_text(document),
        external_id=external_id,
        author_id=author.id if author else None,
        created_at=imported.published_at,
        last_activity_at=imported.published_at,
    )
    await add_article(uow, article)
    return article


def _make_external_id(imported: ImportedArticle) -> str:
    """Return what makes the same file the same article again: who wrote what, and when."""
    identity = "\n".join((imported.title, imported.author or "", str(imported.published_on)))
    return "import-" + hashlib.sha256(identity.encode()).hexdigest()[:32]
