"""Signing up, logging in and out, and passwords."""

import unicodedata
from uuid import UUID

from api.accounts import queries
from api.accounts.errors import (
    InvalidCredentials,
    InvalidRefreshToken,
    SessionNotFound,
    WrongPassword,
)
from api.accounts.passwords import hash_password, verify_password
from api.accounts.schemas import PasswordUpdate, SessionCreate, TokensRead, UserCreate
from api.auth.actor import Actor
from api.auth.tokens import (
    ACCESS_LIFETIME,
    REFRESH_GRACE,
    REFRESH_LIFETIME,
    RefreshToken,
    TokenError,
    issue_access_token,
)
from api.kit.db.database import map_integrity_errors
from api.kit.db.ids import make_id
from api.kit.db.unit_of_work import UnitOfWork
from api.kit.services import Services
from api.users import queries as users
from api.users.errors import HandleReserved
from api.users.handles import is_reserved_handle
from api.users.service import HANDLE_TAKEN, add_account, replace_password_hash
from models import LoginSession, Role, User

MAX_USER_AGENT = 256


def login_key(login: str) -> str:
    """Return the form in which handles and e-mail addresses are compared."""
    return unicodedata.normalize("NFKC", login).strip().lower()


async def register(uow: UnitOfWork, body: UserCreate, *, role: Role = Role.MEMBER) -> User:
    """Make an account. Raises HandleTaken or HandleReserved.

    An e-mail address that is somebody's already makes an account all the same, which logs in by
    handle alone: the answer does not tell who else is here (docs/decisions/0007).
    """
    if is_reserved_handle(body.handle) and role is Role.MEMBER:
        raise HandleReserved
    # Before the first row is written: nobody waits for a lock while this computes.
    password_hash = await hash_password(body.password)
    with map_integrity_errors(HANDLE_TAKEN):
        return await add_account(
            uow,
            handle=body.handle,
            display_name=body.display_name or body.handle,
            email=body.email,
            email_key=login_key(body.email),
            password_hash=password_hash,
            role=role,
        )


async def log_in(
    uow: UnitOfWork, services: Services, body: SessionCreate, user_agent: str | None
) -> TokensRead:
    """Start a login. Raises InvalidCredentials, after the same time whether or not they exist."""
    async with services.database.read_session() as session:
        user = await queries.find_user_by_login(session, login_key(body.login))
    # Before the first statement of the transaction: no connection is held while this computes.
    if not await verify_password(body.password, user.password_hash if user else None):
        raise InvalidCredentials
    if user is None or user.password_hash is None:
        raise InvalidCredentials
    # A change of the password ends the logins it finds; one that came meanwhile must find this one.
    if not await queries.hold_password(uow.session, user.id, user.password_hash):
        raise InvalidCredentials
    token = RefreshToken.make(make_id())
    uow.session.add(
        LoginSession(
            id=token.session_id,
            user_id=user.id,
            token_hash=token.digest,
            rotated_at=uow.now,
            user_agent=user_agent[:MAX_USER_AGENT] if user_agent else None,
            created_at=uow.now,
            expires_at=uow.now + REFRESH_LIFETIME,
        )
    )
    return _pair(uow, services, user.id, token)


async def refresh(uow: UnitOfWork, services: Services, text: str) -> TokensRead | None:
    """Exchange a refresh token for the next pair. Raises InvalidRefreshToken.

    A token that was used before ends the login, since one of its two users is a thief. That is told
    by None, because raising would take it back. Within the grace the token just used is taken for
    the same client's retry and gets the same successor again.
    """
    try:
        token = RefreshToken.parse(text)
    except TokenError as error:
        raise InvalidRefreshToken from error
    successor = token.rotate(services.signer)
    login = await queries.lock_session(uow.session, token.session_id, uow.now)
    if login is None:
        raise InvalidRefreshToken
    if token.digest == login.token_hash:
        login.token_hash, login.previous_token_hash = successor.digest, token.digest
        login.rotated_at, login.expires_at = uow.now, uow.now + REFRESH_LIFETIME
    elif token.digest != login.previous_token_hash or uow.now - login.rotated_at > REFRESH_GRACE:
        login.revoked_at = uow.now
        return None
    return _pair(uow, services, login.user_id, successor)


async def log_out(uow: UnitOfWork, actor: Actor) -> None:
    """End the login that asks, unless something else just did."""
    await queries.revoke_session(uow.session, actor.session_id, actor.id, uow.now)


async def end_session(uow: UnitOfWork, actor: Actor, session_id: UUID) -> None:
    """End one of the actor's logins. Raises SessionNotFound."""
    if not await queries.revoke_session(uow.session, session_id, actor.id, uow.now):
        raise SessionNotFound


async def log_out_elsewhere(uow: UnitOfWork, actor: Actor) -> None:
    """End every login of the actor but the one that asks."""
    await queries.revoke_other_sessions(uow.session, actor.id, actor.session_id, uow.now)


async def change_password(
    uow: UnitOfWork, services: Services, actor: Actor, body: PasswordUpdate
) -> None:
    """Set a new password and end every other login. Raises WrongPassword."""
    async with services.database.read_session() as session:
        current_hash = (await users.get_user(session, actor.id)).password_hash
    if not await verify_password(body.current_password, current_hash):
        raise WrongPassword
    new_hash = await hash_password(body.new_password)
    if not await replace_password_hash(uow, actor.id, before=current_hash, after=new_hash):
        # Another session changed it meanwhile, and thereby ended this one.
        raise WrongPassword
    await log_out_elsewhere(uow, actor)


def _pair(uow: UnitOfWork, services: Services, user_id: UUID, token: RefreshToken) -> TokensRead:
    return TokensRead(
        access_token=issue_access_token(
            services.signer, user_id=user_id, session_id=token.session_id, now=uow.now
        ),
        token_type="Bearer",  # noqa: S106 - the name of a scheme
        expires_in=int(ACCESS_LIFETIME.total_seconds()),
        refresh_token=str(token),
    )
