"""HTTP for accounts and sessions."""

from typing import Annotated
from uuid import UUID

from fastapi import Header, Path, Request, Response

from api.accounts import queries, service
from api.accounts.errors import (
    InvalidCredentials,
    InvalidRefreshToken,
    SessionNotFound,
    WrongPassword,
)
from api.accounts.schemas import (
    PasswordUpdate,
    SessionCreate,
    SessionList,
    SessionRead,
    SessionRefresh,
    TokensRead,
    UserCreate,
)
from api.auth.actor import Actor
from api.auth.dependencies import AnonymousIdempotentUow, address_of, requires
from api.auth.errors import RateLimited
from api.auth.quotas import Action, charge, limit, limit_address
from api.auth.scopes import Scope
from api.kit.dependencies import ReadSession, ServicesDep, UowDep
from api.kit.http.conditional import Resource, make_resource_response
from api.kit.http.problem_responses import problems
from api.kit.http.routing import make_router
from api.users.errors import DisplayNameReserved, HandleReserved, HandleTaken
from api.users.schemas import UserRead

router = make_router("sessions")
users_router = make_router("users")

MAX_SESSIONS = 100

AccountOwner = Annotated[Actor, requires(Scope.ACCOUNT_WRITE)]
SessionReader = Annotated[Actor, requires(Scope.SESSIONS_READ)]
SessionOwner = Annotated[Actor, requires(Scope.SESSIONS_WRITE)]


@users_router.post(
    "/users",
    status_code=201,
    response_model=UserRead,
    responses=problems(HandleTaken, HandleReserved, DisplayNameReserved),
    dependencies=[limit_address(Action.USER_REGISTER)],
)
async def create_user(request: Request, body: UserCreate, uow: AnonymousIdempotentUow) -> Response:
    """Create an account.

    Then log in with `POST /v1/sessions`.
    """
    user = await service.sign_up(uow, body)
    response = await make_resource_response(
        request,
        UserRead.model_validate(user),
        resource=Resource("user", user.id),
        revision=user.revision,
        status=201,
    )
    response.headers["Location"] = f"/v1/users/{user.handle}"
    return response


@router.post("/sessions", status_code=201, responses=problems(InvalidCredentials, RateLimited))
async def create_session(
    request: Request,
    body: SessionCreate,
    uow: UowDep,
    services: ServicesDep,
    user_agent: Annotated[str | None, Header(max_length=1000, include_in_schema=False)] = None,
) -> TokensRead:
    """Log in.

    With a handle or an e-mail address.

    After too many failed attempts at an account, the right password is refused for up to five
    minutes as well, except from addresses that its owner has logged in from.
    """
    address = address_of(request)
    due = [
        (Action.LOGIN_ADDRESS, f"address:{address}"),
        (Action.LOGIN_ACCOUNT, f"login:{service.login_key(body.login)} {address}"),
    ]
    await charge(request, due)
    return await service.log_in(uow, services, body, address=address, user_agent=user_agent)


@router.post(
    "/sessions/refresh",
    status_code=201,
    responses=problems(InvalidRefreshToken),
    dependencies=[limit_address(Action.SESSION_REFRESH)],
)
async def refresh_session(body: SessionRefresh, uow: UowDep, services: ServicesDep) -> TokensRead:
    """Refresh a session.

    Exchanges a refresh token for a new pair of tokens.
    """
    return await service.refresh(uow, services, body.refresh_token)


@router.get("/sessions")
async def list_sessions(
    actor: SessionReader, session: ReadSession, services: ServicesDep
) -> SessionList:
    """List your sessions.

    The newest 100, the newest first.
    """
    sessions = await queries.list_sessions(
        session, actor.id, services.clock.now(), limit=MAX_SESSIONS
    )
    return SessionList(
        data=[
            SessionRead(
                id=one.id,
                user_agent=one.user_agent,
                created_at=one.created_at,
                last_used_at=one.rotated_at,
                expires_at=one.expires_at,
                is_current=one.id == actor.session_id,
            )
            for one in sessions
        ]
    )


@router.delete("/sessions/current", status_code=204, responses=problems(SessionNotFound))
async def delete_current_session(actor: SessionOwner, uow: UowDep) -> None:
    """Log out.

    Ends the session of the access token.
    """
    await service.log_out(uow, actor)


@router.delete("/sessions/{session_id}", status_code=204, responses=problems(SessionNotFound))
async def delete_session(
    session_id: Annotated[UUID, Path(description="The session's id.")],
    actor: SessionOwner,
    uow: UowDep,
) -> None:
    """End one of your sessions."""
    await service.end_session(uow, actor, session_id)


@users_router.put(
    "/me/password",
    status_code=204,
    responses=problems(WrongPassword),
    dependencies=[limit(Action.PASSWORD_CHANGE)],
)
async def change_password(
    body: PasswordUpdate, actor: AccountOwner, uow: UowDep, services: ServicesDep
) -> None:
    """Change your password.

    All your other sessions end.
    """
    await service.change_password(uow, services, actor, body)
