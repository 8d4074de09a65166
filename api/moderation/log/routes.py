"""HTTP for the log of moderation."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response
from sqlalchemy import RowMapping

from api.auth.actor import Actor
from api.auth.dependencies import requires
from api.auth.scopes import Scope
from api.kit.dependencies import ReadSession, ServicesDep
from api.kit.http.pagination import CursorParam, InvalidCursor, Keyset, Limit, link_next
from api.kit.http.problem_responses import problems
from api.kit.http.routing import make_router
from api.moderation.errors import NotAModerator, PublicLogDisabled
from api.moderation.log import queries
from api.moderation.log.presenters import to_log_entry, to_public_entry
from api.moderation.log.queries import LogFilter
from api.moderation.log.schemas import LogPage, PublicLogPage
from api.moderation.policy import require_global, to_moderator
from models import LogAction

router = make_router("moderation")

LogReader = Annotated[Actor, requires(Scope.MODERATION_READ)]


@router.get("/moderation/log", responses=problems(NotAModerator, InvalidCursor))
async def list_log(
    request: Request,
    response: Response,
    actor: LogReader,
    session: ReadSession,
    services: ServicesDep,
    action: Annotated[LogAction | None, Query(description="Only this action.")] = None,
    actor_id: Annotated[UUID | None, Query(description="Only what this person did.")] = None,
    comment_id: Annotated[UUID | None, Query(description="Only about this comment.")] = None,
    article_id: Annotated[UUID | None, Query(description="Only under this article.")] = None,
    user_id: Annotated[UUID | None, Query(description="Only about this person.")] = None,
    limit: Limit = 50,
    cursor: CursorParam = None,
) -> LogPage:
    """List the moderation log.

    For moderators of the whole forum. The newest entries come first; nothing changes an entry.
    """
    require_global(to_moderator(actor).scope)
    wanted = LogFilter(
        action=action,
        actor_id=actor_id,
        comment_id=comment_id,
        article_id=article_id,
        user_id=user_id,
    )
    keyset = Keyset(services.signer, f"log {wanted}")
    rows = await queries.list_entries(session, wanted, after=keyset.parse(cursor), limit=limit)
    page = keyset.make_page(rows, _position_of)
    link_next(request, response, page.next_cursor)
    return LogPage(data=[to_log_entry(row) for row in rows.data], page=page)


@router.get("/modlog", responses=problems(PublicLogDisabled, InvalidCursor))
async def list_public_log(
    request: Request,
    response: Response,
    session: ReadSession,
    services: ServicesDep,
    limit: Limit = 50,
    cursor: CursorParam = None,
) -> PublicLogPage:
    """List the public log.

    What was hidden, removed and shown again, and why: without texts, and without naming anybody.
    Only where the forum's settings publish it.
    """
    if not await queries.is_log_public(session):
        raise PublicLogDisabled
    keyset = Keyset(services.signer, "public log")
    rows = await queries.list_public_entries(session, after=keyset.parse(cursor), limit=limit)
    page = keyset.make_page(rows, _position_of)
    link_next(request, response, page.next_cursor)
    return PublicLogPage(data=[to_public_entry(row) for row in rows.data], page=page)


def _position_of(row: RowMapping) -> tuple[datetime, UUID]:
    return row["created_at"], row["id"]
