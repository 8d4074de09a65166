"""HTTP for logins."""

from typing import Annotated
from uuid import UUID

from fastapi import Header, Request, Response

from api.auth import queries, service
from api.auth.dependencies import CurrentActor
from api.auth.errors import InvalidCredentials, InvalidRefreshToken, RateLimited, SessionNotFound
from api.auth.quotas import Action, address_of, charge, limit_address
from api.auth.schemas import SessionCreate, SessionList, SessionRead, SessionRefresh, TokensRead
from api.kit.problems import problems
from api.kit.routing import make_router
from api.kit.uow import ReadSession, ServicesDep, UowDep

router = make_router("sessions")

MAX_SESSIONS = 100


@router.post("/sessions", status_code=201, responses=problems(InvalidCredentials, RateLimited))
async def create_session(
    request: Request,
    body: SessionCreate,
    uow: UowDep,
    user_agent: Annotated[str | None, Header(max_length=1000, include_in_schema=False)] = None,
) -> TokensRead:
    """Log in with a handle or an e-mail address."""
    due = [
        (Action.LOGIN_ADDRESS, f"address:{address_of(request)}"),
        (Action.LOGIN_ACCOUNT, f"login:{service.login_key(body.login)}"),
    ]
    await charge(request, due)
    return await service.log_in(uow, body, user_agent)


@router.post(
    "/sessions/refresh",
    status_code=201,
    response_model=TokensRead,
    responses=problems(InvalidRefreshToken),
    dependencies=[limit_address(Action.SESSION_REFRESH)],
)
async def refresh_session(
    request: Request, body: SessionRefresh, uow: UowDep
) -> TokensRead | Response:
    """Exchange a refresh token for a new pair of tokens."""
    tokens = await service.refresh(uow, body.refresh_token)
    return tokens or InvalidRefreshToken().to_response(request)


@router.get("/sessions")
async def list_sessions(
    actor: CurrentActor, session: ReadSession, services: ServicesDep
) -> SessionList:
    """List your logins, the newest first."""
    logins = await queries.list_sessions(
        session, actor.id, services.clock.now(), limit=MAX_SESSIONS
    )
    return SessionList(
        data=[
            SessionRead(
                id=login.id,
                user_agent=login.user_agent,
                created_at=login.created_at,
                last_used_at=login.rotated_at,
                expires_at=login.expires_at,
                is_current=login.id == actor.session_id,
            )
            for login in logins
        ]
    )


@router.delete("/sessions/current", status_code=204)
async def delete_current_session(actor: CurrentActor, uow: UowDep) -> None:
    """Log out here."""
    await service.log_out(uow, actor)


@router.delete("/sessions/{session_id}", status_code=204, responses=problems(SessionNotFound))
async def delete_session(session_id: UUID, actor: CurrentActor, uow: UowDep) -> None:
    """Log out elsewhere."""
    await service.end_session(uow, actor, session_id)
