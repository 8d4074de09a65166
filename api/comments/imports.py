"""Store comments that were imported; nobody is notified of them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from api.articles import queries as articles
from api.articles.errors import ArticleNotFound
from api.comments import lifecycle, queries
from api.comments.events import ReviewRequested
from api.comments.mentions.resolution import resolve_text
from api.comments.queries import NewComment
from api.kit.db.ids import make_id
from api.kit.db.unit_of_work import UnitOfWork
from api.kit.text.rendering import parse_text
from api.screening import service as screening
from api.screening.candidate import Author, Candidate
from models import CommentState, Outcome


async def find_imported(uow: UnitOfWork, article_id: UUID) -> dict[str, UUID]:
    """Return the ids of an article's imported comments by their external ids."""
    return await queries.find_external_ids(uow.session, article_id)


async def open_import(
    uow: UnitOfWork, article_id: UUID, *, comments: int, roots: int, active_at: datetime | None
) -> int:
    """Take the thread's lock and one version for all comments to come, the last at `active_at`.

    Raises ArticleNotFound.
    """
    bumped = await articles.bump_version(
        uow.session, article_id, comments=comments, replies=roots, active_at=active_at
    )
    if bumped is None:
        raise ArticleNotFound
    return bumped.version


async def import_comment(
    uow: UnitOfWork,
    *,
    article_id: UUID,
    external_id: str,
    parent_id: UUID | None,
    author_id: UUID | None,
    body: str,
    created_at: datetime,
    version: int,
) -> UUID | None:
    """Store a comment from elsewhere under the version of `open_import`; nobody is notified.

    Return its id, or None when it cannot stand there. Raises TextTooLarge.
    """
    text = await resolve_text(uow.session, body, article_id)
    comment = NewComment(
        id=make_id(),
        article_id=article_id,
        parent_id=parent_id,
        author_id=author_id,
        external_id=external_id,
        body=text.source,
        html=text.html,
        mentions=text.mentions,
        version=version,
        created_at=created_at,
    )
    depth = await queries.insert_comment(uow.session, comment)
    return None if depth is None else comment.id


async def hold_imported(
    uow: UnitOfWork, article_id: UUID, imported: Sequence[tuple[UUID, UUID | None, str]]
) -> int:
    """Hide what screening holds of comments that this transaction imported; return how many.

    Each is an id, an author and a text. Hidden, not pending: replies to them came with them, and
    stand under placeholders. Takes two statements when screening has no rules for texts.
    """
    limits, rules = await screening.load_rules(uow.session)
    found: dict[Outcome, list[UUID]] = {Outcome.FLAG: [], Outcome.HOLD: []}
    if not rules.by_id and limits.max_links is None:
        return 0
    for comment_id, author_id, body in imported:
        document = await parse_text(body)
        candidate = Candidate(
            author=Author(id=author_id),
            limits=limits,
            body=document.source,
            links=document.list_links(),
            is_import=True,
        )
        verdict = await screening.decide_with(candidate, rules)
        if verdict.outcome is not Outcome.PUBLISH:
            found[verdict.outcome].append(comment_id)
            about = {"comment_id": comment_id, "article_id": article_id}
            await screening.record(uow, verdict, **about, author_id=author_id, revision=1)
    for outcome, ids in found.items():
        if not ids:
            continue
        is_held = outcome is Outcome.HOLD
        if is_held:
            thread = await lifecycle.lock_comments(uow, article_id, ids)
            await lifecycle.change_states(uow, thread, CommentState.HIDDEN)
        uow.emit(ReviewRequested(article_id=article_id, comment_ids=tuple(ids), is_held=is_held))
    return len(found[Outcome.HOLD])
