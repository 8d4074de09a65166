"""HTTP for the texts that a comment had."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response

from api.articles import queries as articles
from api.auth.actor import Actor
from api.auth.dependencies import OptionalActor
from api.auth.policy import may_moderate
from api.auth.scopes import Scope
from api.comments import queries as comments
from api.comments.errors import CommentNotFound
from api.comments.revisions import queries
from api.comments.revisions.errors import RevisionsNotShown
from api.comments.revisions.queries import Reader
from api.comments.revisions.schemas import CommentRevisionPage, CommentRevisionRead
from api.comments.schemas import CommentId
from api.kit.dependencies import ReadSession, ServicesDep
from api.kit.http.pagination import CursorParam, InvalidCursor, Keyset, link_next
from api.kit.http.problem_responses import problems
from api.kit.http.routing import make_router
from models import CommentRevision

router = make_router("comments")

# Of up to 10,000 characters each, as Markdown and as HTML.
MAX_REVISIONS = 20
RevisionLimit = Annotated[
    int, Query(ge=1, le=MAX_REVISIONS, description="The largest number of items on a page.")
]


@router.get(
    "/comments/{comment_id}/revisions",
    responses=problems(CommentNotFound, RevisionsNotShown, InvalidCursor),
)
async def list_revisions(
    request: Request,
    response: Response,
    comment_id: CommentId,
    actor: OptionalActor,
    session: ReadSession,
    services: ServicesDep,
    limit: RevisionLimit = 10,
    cursor: CursorParam = None,
) -> CommentRevisionPage:
    """List a comment's earlier texts.

    The newest come first; the present text is the comment's own. A setting of the forum says who
    may read them: everybody, moderators, or nobody but the author.
    """
    keyset = Keyset(services.signer, f"revisions {comment_id}", int)
    after = keyset.parse(cursor)
    if actor is not None and (actor.moderated_article_ids or actor.moderated_tags):
        article_id = await comments.find_article_of(session, comment_id)
        actor = await articles.place_actor(session, actor, article_id) if article_id else actor
    audience = await queries.find_audience(session)
    history = await queries.find_history(session, comment_id, _to_reader(actor), audience)
    if history is None or not (history.shows_text or history.shows_revisions):
        raise CommentNotFound
    if not history.shows_revisions:
        raise RevisionsNotShown
    rows = await queries.list_revisions(session, comment_id, before=after and after[0], limit=limit)
    page = keyset.make_page(rows, _position_of)
    link_next(request, response, page.next_cursor)
    return CommentRevisionPage(data=[_to_revision(row) for row in rows.data], page=page)


def _to_reader(actor: Actor | None) -> Reader:
    if actor is None:
        return Reader(user_id=None, is_staff=False)
    return Reader(
        user_id=actor.id if Scope.PROFILE_READ in actor.scopes else None,
        is_staff=may_moderate(actor, Scope.COMMENTS_MODERATE),
    )


def _to_revision(row: CommentRevision) -> CommentRevisionRead:
    return CommentRevisionRead(
        revision=row.revision, body=row.body, html=row.html, replaced_at=row.created_at
    )


def _position_of(row: CommentRevision) -> tuple[int, UUID]:
    return row.revision, row.comment_id
