"""HTTP for people."""

from typing import Annotated

from fastapi import Path, Request, Response

from api.auth.actor import Actor
from api.auth.dependencies import requires
from api.auth.quotas import Action, limit
from api.auth.scopes import Scope
from api.kit.dependencies import ReadSession, UowDep
from api.kit.http.cacheability import private_response, public_response
from api.kit.http.conditional import IfMatch, Resource, make_resource_response
from api.kit.http.problem_responses import problems
from api.kit.http.routing import make_router
from api.users import queries, service
from api.users.errors import DisplayNameReserved, HandleReserved, HandleTaken, UserNotFound
from api.users.handles import MAX_HANDLE
from api.users.schemas import MeRead, MeUpdate, UserRead

router = make_router("users")

# Characters of an id; no handle is as long.
ID_LENGTH = 36

ProfileReader = Annotated[Actor, requires(Scope.PROFILE_READ)]
ProfileOwner = Annotated[Actor, requires(Scope.PROFILE_WRITE)]

HandlePath = Annotated[
    str,
    Path(
        min_length=1,
        max_length=max(MAX_HANDLE, ID_LENGTH),
        description="A present or former handle, or the person's id.",
    ),
]


@router.get(
    "/users/{handle}",
    response_model=UserRead,
    responses={**problems(UserNotFound)},
)
@public_response
async def read_user(request: Request, handle: HandlePath, session: ReadSession) -> Response:
    """Get a public profile.

    A former handle leads to the same person, and so does the id that a mention in `html` has.
    """
    user = await queries.find_user(session, handle)
    if user is None:
        raise UserNotFound
    return await make_resource_response(
        request,
        UserRead.model_validate(user),
        resource=Resource("user", user.id),
        revision=user.revision,
    )


@router.get("/me", response_model=MeRead)
@private_response
async def read_me(request: Request, actor: ProfileReader, session: ReadSession) -> Response:
    """Get your profile."""
    user = await queries.get_user(session, actor.id)
    return await make_resource_response(
        request,
        MeRead.model_validate(user),
        resource=Resource("user", user.id),
        revision=user.revision,
    )


@router.patch(
    "/me",
    response_model=MeRead,
    responses=problems(HandleTaken, HandleReserved, DisplayNameReserved),
    dependencies=[limit(Action.PROFILE_EDIT)],
)
async def update_me(
    request: Request, body: MeUpdate, actor: ProfileOwner, uow: UowDep, if_match: IfMatch
) -> Response:
    """Update your profile.

    A new name is shown everywhere; a former handle still leads to you.
    """
    user = await service.update_me(uow, actor, body, if_match)
    return await make_resource_response(
        request,
        MeRead.model_validate(user),
        resource=Resource("user", user.id),
        revision=user.revision,
    )
