"""HTTP for the review queue."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Request, Response

from api.articles import queries as articles
from api.articles.errors import ArticleNotFound
from api.articles.schemas import Tag
from api.auth.actor import Actor
from api.auth.dependencies import requires
from api.auth.quotas import Action, limit
from api.auth.scopes import Scope
from api.comments import queries as comments
from api.comments.errors import ClaimedByAnother, CommentNotFound
from api.comments.schemas import CommentId
from api.kit.dependencies import ReadSession, ServicesDep, UowDep
from api.kit.http.conditional import (
    get_epoch,
    make_revision_etags,
)
from api.kit.http.pagination import CursorParam, InvalidCursor, Keyset, link_next
from api.kit.http.problem_responses import problems
from api.kit.http.routing import make_router
from api.moderation.errors import NotAModerator, OutsideYourScope, ReviewItemNotFound
from api.moderation.log import queries as log
from api.moderation.log.queries import LogFilter
from api.moderation.policy import may_moderate, require_moderator, to_moderator
from api.moderation.queue import queries, service
from api.moderation.queue.presenters import to_comment_moderation, to_queue_item
from api.moderation.queue.queries import ClaimFilter, QueueFilter, QueueOrder, load_surroundings
from api.moderation.queue.schemas import ClaimTaken, CommentModeration, QueuePage
from models import ReviewSource

router = make_router("moderation")

QueueReader = Annotated[Actor, requires(Scope.MODERATION_READ)]
ActingModerator = Annotated[Actor, requires(Scope.MODERATION_MODERATE)]
ItemId = Annotated[UUID, Path(description="The review item's id.")]

# Entries of the log about one comment.
MAX_LOG = 50


@router.get("/moderation/queue", responses=problems(NotAModerator, ArticleNotFound, InvalidCursor))
async def list_queue(
    request: Request,
    response: Response,
    actor: QueueReader,
    session: ReadSession,
    services: ServicesDep,
    order: Annotated[QueueOrder, Query(description="Which come first.")] = QueueOrder.OLDEST,
    source: Annotated[
        ReviewSource | None, Query(description="Only what waits for this reason.")
    ] = None,
    article: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=120,
            pattern=r"^[A-Za-z0-9-]+$",
            description="Only under this article: its id or slug.",
        ),
    ] = None,
    tag: Annotated[Tag | None, Query(description="Only under articles with this tag.")] = None,
    claimed: Annotated[
        ClaimFilter | None,
        Query(description="`mine`, or `free`: those that nobody else has claimed."),
    ] = None,
    escalated: Annotated[
        bool | None, Query(description="Only escalated items, or only the others.")
    ] = None,
    limit: Annotated[
        int, Query(ge=1, le=50, description="The largest number of items on a page.")
    ] = 20,
    cursor: CursorParam = None,
) -> QueuePage:
    """List what waits for a moderator.

    Each item has what a decision needs: the text with what screening found in it, the author's
    record, the comments above, and the reports. Moderators of some articles or tags see the items
    of these.
    """
    moderator = to_moderator(actor)
    require_moderator(moderator.scope)
    article_id = None
    if article is not None:
        article_id = await articles.find_id(session, article)
        if article_id is None:
            raise ArticleNotFound
    wanted = QueueFilter(
        order=order,
        source=source,
        article_id=article_id,
        tag=tag,
        claimed=claimed,
        is_escalated=escalated,
    )
    if order is QueueOrder.WORST:
        keyset = Keyset(services.signer, f"queue {wanted}", parse_key=float)
    else:
        keyset = Keyset(services.signer, f"queue {wanted}")
    rows = await queries.list_items(
        session,
        moderator.scope,
        wanted,
        moderator_id=actor.id,
        now=services.clock.now(),
        after=keyset.parse(cursor),
        limit=limit,
    )
    key = "item_severity" if order is QueueOrder.WORST else "item_opened_at"
    page = keyset.make_page(rows, lambda row: (row[key], row["item_id"]))
    link_next(request, response, page.next_cursor)
    around = await load_surroundings(session, rows.data)
    make_etag = make_revision_etags(await get_epoch(request), "comment")
    return QueuePage(data=[to_queue_item(row, around, make_etag) for row in rows.data], page=page)


@router.post(
    "/moderation/queue/{item_id}/claim",
    responses=problems(NotAModerator, OutsideYourScope, ReviewItemNotFound, ClaimedByAnother),
    dependencies=[limit(Action.MODERATE)],
)
async def claim_item(item_id: ItemId, actor: ActingModerator, uow: UowDep) -> ClaimTaken:
    """Claim a review item.

    For ten minutes nobody else can decide about its comment; again extends the claim.
    """
    item = await service.claim_item(uow, to_moderator(actor), item_id)
    return ClaimTaken(item_id=item.id, until=item.claimed_until)


@router.delete(
    "/moderation/queue/{item_id}/claim",
    status_code=204,
    responses=problems(NotAModerator, OutsideYourScope, ReviewItemNotFound, ClaimedByAnother),
    dependencies=[limit(Action.MODERATE)],
)
async def release_item(item_id: ItemId, actor: ActingModerator, uow: UowDep) -> None:
    """Release a review item.

    Without a claim of yours it changes nothing.
    """
    await service.release_item(uow, to_moderator(actor), item_id)


@router.get(
    "/comments/{comment_id}/moderation",
    responses=problems(NotAModerator, OutsideYourScope, CommentNotFound),
)
async def read_comment_moderation(
    request: Request,
    comment_id: CommentId,
    actor: QueueReader,
    session: ReadSession,
    services: ServicesDep,
) -> CommentModeration:
    """Get what moderators see.

    The text in whatever state, unless the author deleted it, and the decisions about the comment.
    """
    moderator = to_moderator(actor)
    row = await queries.find_comment(session, comment_id, now=services.clock.now())
    if row is None:
        raise CommentNotFound
    tags = await articles.find_tags(session, row["article_id"])
    if not may_moderate(moderator.scope, row["article_id"], tags):
        # What readers do not see is not there for them.
        if await comments.find_comment(session, comment_id) is None:
            raise CommentNotFound
        require_moderator(moderator.scope)
        raise OutsideYourScope
    around = await load_surroundings(session, [row])
    entries = await log.list_entries(
        session, LogFilter(comment_id=comment_id), after=None, limit=MAX_LOG
    )
    make_etag = make_revision_etags(await get_epoch(request), "comment")
    return to_comment_moderation(row, around, entries.data, make_etag)
