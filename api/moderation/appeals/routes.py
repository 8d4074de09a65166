"""HTTP for decisions and appeals."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Request, Response

from api.auth.actor import Actor
from api.auth.dependencies import IdempotentUow, requires
from api.auth.quotas import Action, limit
from api.auth.scopes import Scope
from api.kit.dependencies import ReadSession, ServicesDep, UowDep
from api.kit.http.pagination import CursorParam, InvalidCursor, Keyset, Limit, link_next
from api.kit.http.problem_responses import problems
from api.kit.http.routing import HAS_NO_ADDRESS, make_router
from api.moderation.appeals import queries, service
from api.moderation.appeals.errors import (
    AlreadyAppealed,
    AppealClosed,
    AppealNotFound,
    DecisionNotFound,
    DecisionUndone,
    MayNotDecide,
)
from api.moderation.appeals.presenters import to_appeal, to_own_decision, to_staff_appeal
from api.moderation.appeals.queries import AppealRow, DecisionRow
from api.moderation.appeals.schemas import (
    AppealCreate,
    AppealDecision,
    AppealPage,
    AppealRead,
    OwnDecisionPage,
    StaffAppealRead,
)
from api.moderation.errors import NotAModerator
from api.moderation.sanctions.errors import MayNotSanction
from api.moderation.sanctions.policy import require_may_read
from models import AppealState

router = make_router("moderation")

ProfileReader = Annotated[Actor, requires(Scope.PROFILE_READ)]
Appellant = Annotated[Actor, requires(Scope.APPEALS_WRITE)]
AppealReader = Annotated[Actor, requires(Scope.MODERATION_READ)]
AppealDecider = Annotated[Actor, requires(Scope.MODERATION_MODERATE)]


@router.get("/me/decisions", responses=problems(InvalidCursor))
async def list_own_decisions(
    request: Request,
    response: Response,
    actor: ProfileReader,
    session: ReadSession,
    services: ServicesDep,
    limit: Limit = 20,
    cursor: CursorParam = None,
) -> OwnDecisionPage:
    """List decisions about you.

    What moderators decided about you and your comments, with your appeals, the newest first.
    """
    keyset = Keyset(services.signer, f"decisions {actor.id}")
    rows = await queries.list_decisions(session, actor.id, after=keyset.parse(cursor), limit=limit)
    page = keyset.make_page(rows, _position_of_decision)
    link_next(request, response, page.next_cursor)
    now = services.clock.now()
    return OwnDecisionPage(data=[to_own_decision(row, now) for row in rows.data], page=page)


@router.post(
    "/appeals",
    status_code=201,
    responses=problems(DecisionNotFound, AlreadyAppealed, DecisionUndone),
    dependencies=[limit(Action.APPEAL)],
    openapi_extra=HAS_NO_ADDRESS,
)
async def create_appeal(body: AppealCreate, actor: Appellant, uow: IdempotentUow) -> AppealRead:
    """Create an appeal.

    One per decision. A moderator who did not make the decision decides the appeal. People who are
    banned can log in and appeal, too.
    """
    return to_appeal(await service.create_appeal(uow, actor, body))


@router.get("/appeals", responses=problems(NotAModerator, InvalidCursor))
async def list_appeals(
    request: Request,
    response: Response,
    actor: AppealReader,
    session: ReadSession,
    services: ServicesDep,
    state: Annotated[
        AppealState, Query(description="Which appeals are listed.")
    ] = AppealState.OPEN,
    limit: Limit = 20,
    cursor: CursorParam = None,
) -> AppealPage:
    """List appeals.

    For moderators of the whole forum, the oldest first. Your own appeals are in
    `GET /v1/me/decisions`.
    """
    require_may_read(actor)
    keyset = Keyset(services.signer, f"appeals {state}")
    rows = await queries.list_appeals(session, state, after=keyset.parse(cursor), limit=limit)
    page = keyset.make_page(rows, _position_of_appeal)
    link_next(request, response, page.next_cursor)
    now = services.clock.now()
    return AppealPage(data=[to_staff_appeal(row, now) for row in rows.data], page=page)


@router.post(
    "/appeals/{appeal_id}/decision",
    responses=problems(AppealNotFound, AppealClosed, NotAModerator, MayNotDecide, MayNotSanction),
    dependencies=[limit(Action.MODERATE)],
)
async def decide_appeal(
    appeal_id: Annotated[UUID, Path(description="The appeal's id.")],
    body: AppealDecision,
    actor: AppealDecider,
    uow: UowDep,
) -> StaffAppealRead:
    """Set the outcome of an appeal.

    Granting it restores the comment or lifts the sanction.
    """
    row = await service.decide_appeal(uow, actor, appeal_id, body)
    return to_staff_appeal(row, uow.now)


def _position_of_decision(row: DecisionRow) -> tuple[datetime, UUID]:
    return row.log_entry.created_at, row.log_entry.id


def _position_of_appeal(row: AppealRow) -> tuple[datetime, UUID]:
    return row.appeal.created_at, row.appeal.id
