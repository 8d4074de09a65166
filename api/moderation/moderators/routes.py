"""HTTP for moderators of articles and tags."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Request, Response

from api.articles.errors import ArticleNotFound
from api.auth.actor import Actor
from api.auth.dependencies import requires
from api.auth.quotas import Action, limit
from api.auth.scopes import Scope
from api.kit.dependencies import ReadSession, ServicesDep, UowDep
from api.kit.http.pagination import CursorParam, InvalidCursor, Keyset, Limit, link_next
from api.kit.http.problem_responses import problems
from api.kit.http.routing import make_router
from api.moderation.moderators import policy, queries, service
from api.moderation.moderators.errors import ModeratorNotFound, NotAnAdministrator
from api.moderation.moderators.schemas import ModeratorPage, ModeratorPut, ModeratorRead
from api.users.errors import UserNotFound
from api.users.routes import HandlePath
from models import User

router = make_router("moderation")

ModeratorReader = Annotated[Actor, requires(Scope.MODERATION_READ)]
Appointer = Annotated[Actor, requires(Scope.MODERATION_MODERATE)]


@router.get("/moderators", responses=problems(NotAnAdministrator, InvalidCursor))
async def list_moderators(
    request: Request,
    response: Response,
    actor: ModeratorReader,
    session: ReadSession,
    services: ServicesDep,
    limit: Limit = 20,
    cursor: CursorParam = None,
) -> ModeratorPage:
    """List moderators of articles and tags.

    For administrators. People whose role covers the whole forum are not listed.
    """
    policy.require_admin(actor)
    keyset = Keyset(services.signer, "moderators")
    people = await queries.list_moderators(session, after=keyset.parse(cursor), limit=limit)
    page = keyset.make_page(people, _position_of)
    link_next(request, response, page.next_cursor)
    return ModeratorPage(data=await service.read_moderators(session, people.data), page=page)


@router.put(
    "/moderators/{handle}",
    responses=problems(NotAnAdministrator, UserNotFound, ArticleNotFound),
    dependencies=[limit(Action.MODERATE)],
)
async def replace_moderator(
    handle: HandlePath, body: ModeratorPut, actor: Appointer, uow: UowDep
) -> ModeratorRead:
    """Set what a person moderates.

    For administrators. It applies from the person's next request on.
    """
    return await service.replace_moderator(uow, actor, handle, body)


@router.delete(
    "/moderators/{handle}",
    status_code=204,
    responses=problems(NotAnAdministrator, UserNotFound, ModeratorNotFound),
    dependencies=[limit(Action.MODERATE)],
)
async def delete_moderator(handle: HandlePath, actor: Appointer, uow: UowDep) -> None:
    """Remove a moderator.

    For administrators. The person moderates no single article or tag any more; their role stays.
    """
    await service.delete_moderator(uow, actor, handle)


def _position_of(user: User) -> tuple[datetime, UUID]:
    return user.created_at, user.id
