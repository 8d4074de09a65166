"""HTTP for single comments and flat lists of them; trees are in `tree/routes.py`."""

from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from sqlalchemy import RowMapping

from api.articles import queries as articles
from api.articles.errors import ArticleNotFound
from api.articles.routes import ArticleRef, ArticleTurn
from api.auth.actor import Actor
from api.auth.dependencies import IdempotentUow, find_actor, requires
from api.auth.quotas import Action, limit
from api.auth.scopes import Scope
from api.comments import queries, service
from api.comments.errors import (
    ArticleClosed,
    ArticleLocked,
    ClaimedByAnother,
    CommentGone,
    CommentNotFound,
    MembersOnly,
    NotYourComment,
    ParentElsewhere,
    ParentGone,
    ParentNotFound,
    SlowMode,
    ThreadTooDeep,
)
from api.comments.own_comments import find_own_comment
from api.comments.policy import is_shadow_banned
from api.comments.presenters import (
    to_created_comment,
    to_person_comment,
    to_updated_comment,
)
from api.comments.projection import to_comment_fields
from api.comments.schemas import (
    CommentCreate,
    CommentId,
    CommentPage,
    CommentRead,
    CommentUpdate,
    CommentWritten,
    FlatOrder,
    PersonCommentPage,
)
from api.comments.tree import cached_reads
from api.comments.tree.routes import find_author
from api.comments.visibility import is_visible
from api.kit.db.database import DatabaseUnavailable
from api.kit.db.write_queues import WriteQueueFull
from api.kit.dependencies import ReadSession, ServicesDep, UowDep, services_of
from api.kit.http.cacheability import keep_private, public_response
from api.kit.http.conditional import IfMatch, Resource, make_resource_response
from api.kit.http.pagination import (
    CursorParam,
    InvalidCursor,
    Keyset,
    Limit,
    link_next,
)
from api.kit.http.problem_responses import problems
from api.kit.http.routing import make_router
from api.kit.problems import declares
from api.kit.services import Services
from api.kit.text.rendering import TextTooLarge
from api.screening.dependencies import AskedServices, ExternalFindings
from api.screening.errors import CommentRejected
from api.users import queries as users
from api.users.errors import UserNotFound
from api.users.routes import HandlePath

router = make_router("comments")

CommentWriter = Annotated[Actor, requires(Scope.COMMENTS_WRITE)]


@declares(WriteQueueFull)
async def wait_for_turn(request: Request, comment_id: CommentId) -> AsyncIterator[None]:
    """Wait for this request's turn to write to the comment's article."""
    services = services_of(request)
    article_id = None
    # Without credentials it is refused, and must not keep others waiting.
    if await find_actor(request) is not None:
        with suppress(CommentNotFound):
            article_id = await cached_reads.find_article_of(services, comment_id)
    async with services.write_queues.turn(article_id):
        yield


CommentTurn = Depends(wait_for_turn, scope="function")


@router.post(
    "/articles/{article}/comments",
    status_code=201,
    response_model=CommentWritten,
    responses=problems(
        ArticleNotFound,
        ParentNotFound,
        ParentElsewhere,
        ParentGone,
        ThreadTooDeep,
        ArticleLocked,
        ArticleClosed,
        MembersOnly,
        SlowMode,
        TextTooLarge,
        CommentRejected,
    ),
    dependencies=[limit(Action.COMMENT_CREATE), AskedServices, ArticleTurn],
)
async def create_comment(
    request: Request,
    article: ArticleRef,
    body: CommentCreate,
    actor: CommentWriter,
    uow: IdempotentUow,
    services: ServicesDep,
    external: ExternalFindings,
) -> Response:
    """Create a comment.

    Without `parent_id` it is a reply to the article itself. Its `state` is `pending` when it waits
    for a moderator: only you see it until then, in `/v1/articles/{article}/viewer`.
    """
    created = await service.create_comment(uow, services, actor, article, body, external=external)
    response = await make_resource_response(
        request,
        to_created_comment(created, actor),
        resource=Resource("comment", created.comment.id),
        revision=1,
        status=201,
    )
    response.headers["Location"] = f"/v1/comments/{created.comment.id}"
    return response


@router.get("/articles/{article}/comments/flat", responses=problems(ArticleNotFound, InvalidCursor))
@public_response
async def list_flat(
    request: Request,
    response: Response,
    article: ArticleRef,
    session: ReadSession,
    services: ServicesDep,
    order: Annotated[FlatOrder, Query(description="Which comments come first.")] = FlatOrder.OLDEST,
    limit: Limit = 50,
    cursor: CursorParam = None,
) -> CommentPage:
    """List comments by time.

    For frontends that show no tree. Only visible comments are listed.
    """
    article_id = await articles.find_id(session, article)
    if article_id is None:
        raise ArticleNotFound
    keyset = Keyset(services.signer, f"flat {article_id} {order}")
    rows = await queries.list_flat(
        session, article_id, order=order, after=keyset.parse(cursor), limit=limit
    )
    page = keyset.make_page(rows, _position_of)
    link_next(request, response, page.next_cursor)
    data = [CommentRead.model_validate(to_comment_fields(row)) for row in rows.data]
    return CommentPage(data=data, page=page)


@router.get(
    "/comments/{comment_id}",
    response_model=CommentRead,
    responses={**problems(CommentNotFound, DatabaseUnavailable)},
)
@public_response
async def read_comment(request: Request, comment_id: CommentId, services: ServicesDep) -> Response:
    """Get a comment.

    Only its author, with their credentials, gets one that waits for a moderator.
    """
    async with services.database.read_session() as session:
        row = await queries.find_shown(session, comment_id)
    if row is None or not is_visible(row["state"]):
        own = await _find_own(request, services, comment_id)
        if own is not None:
            return own
    if row is None:
        raise CommentNotFound
    content = CommentRead.model_validate(to_comment_fields(row))
    return await make_resource_response(
        request, content, resource=Resource("comment", comment_id), revision=row["revision"]
    )


@router.patch(
    "/comments/{comment_id}",
    response_model=CommentWritten,
    responses=problems(CommentNotFound, NotYourComment, CommentGone, TextTooLarge, CommentRejected),
    dependencies=[limit(Action.COMMENT_EDIT), AskedServices, CommentTurn],
)
async def update_comment(
    request: Request,
    comment_id: CommentId,
    body: CommentUpdate,
    actor: CommentWriter,
    uow: UowDep,
    if_match: IfMatch,
    services: ServicesDep,
    external: ExternalFindings,
) -> Response:
    """Edit your comment.

    It is hidden when moderators have to look at the new text first.
    """
    updated = await service.update_comment(
        uow, services, actor, comment_id, body, if_match, external=external
    )
    return await make_resource_response(
        request,
        to_updated_comment(updated, actor),
        resource=Resource("comment", comment_id),
        revision=updated.comment.revision,
    )


@router.delete(
    "/comments/{comment_id}",
    status_code=204,
    responses=problems(CommentNotFound, NotYourComment, CommentGone, ClaimedByAnother),
    dependencies=[limit(Action.COMMENT_EDIT), CommentTurn],
)
async def delete_comment(
    comment_id: CommentId, actor: CommentWriter, uow: UowDep, if_match: IfMatch
) -> None:
    """Delete a comment.

    While it has replies, it stays in the tree without its text and author.
    """
    await service.delete_comment(uow, actor, comment_id, if_match)


@router.get(
    "/users/{handle}/comments",
    responses=problems(UserNotFound, InvalidCursor),
)
@public_response
async def list_comments_of_user(
    request: Request,
    response: Response,
    handle: HandlePath,
    session: ReadSession,
    services: ServicesDep,
    limit: Limit = 20,
    cursor: CursorParam = None,
) -> PersonCommentPage:
    """List a person's comments.

    The newest come first.
    """
    # Before the session takes a connection.
    actor = await find_author(request)
    user = await users.find_user(session, handle)
    if user is None:
        raise UserNotFound
    is_own = actor is not None and actor.id == user.id and is_shadow_banned(actor)
    if is_own:
        keep_private(response)
    keyset = Keyset(services.signer, f"by {user.id}")
    rows = await queries.list_by_author(
        session, user.id, with_shadowed=is_own, after=keyset.parse(cursor), limit=limit
    )
    page = keyset.make_page(rows, _position_of)
    link_next(request, response, page.next_cursor)
    return PersonCommentPage(data=[to_person_comment(row) for row in rows.data], page=page)


async def _find_own(request: Request, services: Services, comment_id: UUID) -> Response | None:
    """Return a comment that nobody sees but the author who is asking, for no cache."""
    actor = await find_author(request)
    if actor is None:
        return None
    async with services.database.read_session() as session:
        own = await find_own_comment(session, actor, comment_id)
    if own is None:
        return None
    response = await make_resource_response(
        request, own.read, resource=Resource("comment", comment_id), revision=own.revision
    )
    return keep_private(response)


def _position_of(row: RowMapping) -> tuple[datetime, UUID]:
    return row["created_at"], row["id"]
