"""HTTP for people."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Request, Response

from api.auth.dependencies import CurrentActor, IdempotentUow
from api.auth.quotas import Action, limit, limit_address
from api.kit.conditional import UNCHANGED, IfMatch, answer
from api.kit.names import MAX_HANDLE, name_key
from api.kit.problems import problems
from api.kit.routing import make_router
from api.kit.uow import ReadSession, UowDep
from api.users import queries, service
from api.users.errors import HandleReserved, HandleTaken, UserNotFound, WrongPassword
from api.users.schemas import (
    MeRead,
    MeUpdate,
    PasswordUpdate,
    PersonList,
    PersonRead,
    UserCreate,
    UserRead,
)

router = make_router("users")

MAX_COMPLETIONS = 20

HandlePath = Annotated[str, Path(min_length=1, max_length=MAX_HANDLE)]


@router.post(
    "/users",
    status_code=201,
    response_model=UserRead,
    responses=problems(HandleTaken, HandleReserved),
    dependencies=[limit_address(Action.USER_REGISTER)],
)
async def create_user(request: Request, body: UserCreate, uow: IdempotentUow) -> Response:
    """Register. Then log in with POST /v1/sessions."""
    user = await service.register(uow, body)
    response = answer(request, UserRead.model_validate(user), revision=user.revision, status=201)
    response.headers["Location"] = f"/v1/users/{user.handle}"
    return response


@router.get("/users", dependencies=[limit(Action.USER_COMPLETE)])
async def complete_users(
    session: ReadSession,
    prefix: Annotated[
        str, Query(min_length=1, max_length=64, description="What stands after the @ so far.")
    ],
    article: Annotated[
        UUID | None, Query(description="An article's id: the people of its thread come first.")
    ] = None,
) -> PersonList:
    """Find people by the beginning of a handle or display name, for completion while typing."""
    users = await queries.complete(
        session, name_key(prefix), article_id=article, limit=MAX_COMPLETIONS
    )
    return PersonList(data=[PersonRead.model_validate(user) for user in users])


@router.get(
    "/users/{handle}",
    response_model=UserRead,
    responses={**problems(UserNotFound), **UNCHANGED},
)
async def read_user(request: Request, handle: HandlePath, session: ReadSession) -> Response:
    """Read a public profile. A handle that somebody had before leads to them as well."""
    user = await queries.find_user_by_handle(session, handle.lower())
    if user is None:
        raise UserNotFound
    return answer(request, UserRead.model_validate(user), revision=user.revision)


@router.get("/me", response_model=MeRead, responses=UNCHANGED)
async def read_me(request: Request, actor: CurrentActor, session: ReadSession) -> Response:
    """Read the own profile."""
    user = await queries.get_user(session, actor.id)
    return answer(request, MeRead.model_validate(user), revision=user.revision)


@router.patch(
    "/me",
    response_model=MeRead,
    responses=problems(HandleTaken, HandleReserved),
    dependencies=[limit(Action.PROFILE_EDIT)],
)
async def update_me(
    request: Request, body: MeUpdate, actor: CurrentActor, uow: UowDep, if_match: IfMatch
) -> Response:
    """Change the own profile. A new name is seen everywhere, an old handle still leads here."""
    user = await service.update_me(uow, actor, body, if_match)
    return answer(request, MeRead.model_validate(user), revision=user.revision)


@router.put(
    "/me/password",
    status_code=204,
    responses=problems(WrongPassword),
    dependencies=[limit(Action.PASSWORD_CHANGE)],
)
async def change_password(body: PasswordUpdate, actor: CurrentActor, uow: UowDep) -> None:
    """Set a new password. Every other login ends."""
    await service.change_password(uow, actor, body)
