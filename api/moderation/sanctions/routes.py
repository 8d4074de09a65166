"""HTTP for sanctions."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Path, Request, Response

from api.auth.actor import Actor
from api.auth.dependencies import IdempotentUow, requires
from api.auth.quotas import Action, limit
from api.auth.scopes import Scope
from api.kit.dependencies import ReadSession, ServicesDep, UowDep
from api.kit.http.pagination import CursorParam, InvalidCursor, Keyset, Limit, link_next
from api.kit.http.problem_responses import problems
from api.kit.http.routing import HAS_NO_ADDRESS, make_router
from api.moderation.errors import NotAModerator
from api.moderation.sanctions import policy, queries, service
from api.moderation.sanctions.errors import (
    AlreadyRestricted,
    InvalidSanctionEnd,
    MayNotSanction,
    SanctionEnded,
    SanctionNotFound,
)
from api.moderation.sanctions.presenters import to_own_sanction, to_sanction
from api.moderation.sanctions.queries import SanctionRow
from api.moderation.sanctions.schemas import (
    OwnSanctionPage,
    SanctionCreate,
    SanctionPage,
    SanctionRead,
)
from api.users import queries as users
from api.users.errors import UserNotFound
from api.users.routes import HandlePath
from models import TOLD, SanctionKind

router = make_router("moderation")

SanctionReader = Annotated[Actor, requires(Scope.MODERATION_READ)]
Sanctioner = Annotated[Actor, requires(Scope.MODERATION_MODERATE)]
ProfileReader = Annotated[Actor, requires(Scope.PROFILE_READ)]


@router.get(
    "/users/{handle}/sanctions", responses=problems(UserNotFound, NotAModerator, InvalidCursor)
)
async def list_sanctions(
    request: Request,
    response: Response,
    handle: HandlePath,
    actor: SanctionReader,
    session: ReadSession,
    services: ServicesDep,
    limit: Limit = 20,
    cursor: CursorParam = None,
) -> SanctionPage:
    """List a person's sanctions.

    For moderators of the whole forum: notes and ended sanctions too, the newest first.
    """
    policy.require_may_read(actor)
    user = await users.find_user(session, handle)
    if user is None:
        raise UserNotFound
    keyset = Keyset(services.signer, f"sanctions of {user.id}")
    rows = await queries.list_sanctions(
        session, user.id, kinds=tuple(SanctionKind), after=keyset.parse(cursor), limit=limit
    )
    page = keyset.make_page(rows, _position_of)
    link_next(request, response, page.next_cursor)
    now = services.clock.now()
    return SanctionPage(data=[to_sanction(row, now) for row in rows.data], page=page)


@router.post(
    "/users/{handle}/sanctions",
    status_code=201,
    responses=problems(
        UserNotFound, NotAModerator, MayNotSanction, InvalidSanctionEnd, AlreadyRestricted
    ),
    dependencies=[limit(Action.MODERATE)],
    openapi_extra=HAS_NO_ADDRESS,
)
async def create_sanction(
    handle: HandlePath, body: SanctionCreate, actor: Sanctioner, uow: IdempotentUow
) -> SanctionRead:
    """Create a sanction.

    It applies from the person's next request on. Only people whose role is below yours can be
    sanctioned.
    """
    return to_sanction(await service.create_sanction(uow, actor, handle, body), uow.now)


@router.delete(
    "/users/{handle}/sanctions/{sanction_id}",
    status_code=204,
    responses=problems(
        UserNotFound, NotAModerator, MayNotSanction, SanctionNotFound, SanctionEnded
    ),
    dependencies=[limit(Action.MODERATE)],
)
async def delete_sanction(
    handle: HandlePath,
    sanction_id: Annotated[UUID, Path(description="The sanction's id.")],
    actor: Sanctioner,
    uow: UowDep,
) -> None:
    """End a sanction.

    It stays in the list as a lifted one.
    """
    await service.lift_sanction(uow, actor, handle, sanction_id)


@router.get("/me/sanctions", responses=problems(InvalidCursor))
async def list_own_sanctions(
    request: Request,
    response: Response,
    actor: ProfileReader,
    session: ReadSession,
    services: ServicesDep,
    limit: Limit = 20,
    cursor: CursorParam = None,
) -> OwnSanctionPage:
    """List your sanctions.

    Warnings, silences and bans with their reasons, ended ones too, the newest first.
    """
    keyset = Keyset(services.signer, f"own sanctions {actor.id}")
    rows = await queries.list_sanctions(
        session, actor.id, kinds=tuple(TOLD), after=keyset.parse(cursor), limit=limit
    )
    page = keyset.make_page(rows, _position_of)
    link_next(request, response, page.next_cursor)
    now = services.clock.now()
    return OwnSanctionPage(
        data=[to_own_sanction(row.sanction, now) for row in rows.data], page=page
    )


def _position_of(row: SanctionRow) -> tuple[datetime, UUID]:
    return row.sanction.starts_at, row.sanction.id
