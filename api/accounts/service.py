"""Signing up, logging in and out, and passwords."""

import unicodedata
from datetime import datetime, timedelta
from hmac import compare_digest
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
from api.auth.quotas import Action, take_quota
from api.auth.tokens import (
    ACCESS_LIFETIME,
    REFRESH_GRACE,
    REFRESH_LIFETIME,
    RefreshToken,
    TokenError,
    hash_token,
)
from api.kit.db.database import map_integrity_errors
from api.kit.db.ids import make_id
from api.kit.db.unit_of_work import UnitOfWork
from api.kit.services import Services
from api.users import queries as users
from api.users.policy import require_free_names
from api.users.service import HANDLE_TAKEN, add_account, replace_password_hash
from models import LoginSession, Role, User

MAX_USER_AGENT = 256
# How far apart the clocks of two servers may be.
CLOCK_SKEW = timedelta(seconds=1)


def login_key(login: str) -> str:
    """Return the form in which handles and e-mail addresses are compared."""
    return unicodedata.normalize("NFKC", login).strip().lower()


async def sign_up(uow: UnitOfWork, body: UserCreate, *, role: Role = Role.MEMBER) -> User:
    """Make an account. Raises HandleTaken, HandleReserved or DisplayNameReserved.

    With an e-mail address that already belongs to an account it makes one all the same, which logs
    in by handle alone: the response does not reveal who has an account (docs/decisions/0007).
    """
    if role is Role.MEMBER:
        require_free_names(body.handle, body.display_name)
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
    uow: UnitOfWork,
    services: Services,
    body: SessionCreate,
    *,
    address: str,
    user_agent: str | None,
) -> TokensRead:
    """Start a session. Raises InvalidCredentials, after the same work whether or not they exist.

    `address` is what `address_of` returned. After too many attempts the right password is refused
    like a wrong one: a refusal of its own would reveal which handle an e-mail address belongs to
    (docs/decisions/0014).
    """
    address_hash = hash_login_address(services, address)
    login = login_key(body.login)
    async with services.database.read_session() as session:
        user, is_known = await queries.find_user_by_login(session, login, address_hash)
    account = f"user:{user.id}" if user else f"login:{login}"
    if is_known:
        action, subject = Action.LOGIN_KNOWN_ADDRESS, f"{account} {address}"
    else:
        action, subject = Action.LOGIN_STRANGERS, account
    may_try = await take_quota(services, action, subject)
    # Before the first statement of the transaction: no connection is held while this computes.
    matches = await verify_password(body.password, user.password_hash if user else None)
    if user is None or user.password_hash is None or not (matches and may_try):
        raise InvalidCredentials
    # A change of the password ends the sessions it finds; one that came meanwhile must find this.
    if not await queries.hold_password(uow.session, user.id, user.password_hash):
        raise InvalidCredentials
    return await start_session(
        uow, services, user.id, address_hash=address_hash, user_agent=user_agent
    )


def hash_login_address(services: Services, address: str) -> bytes:
    """Return what is stored of an address from which somebody logs in."""
    return services.signer.sign("login-address", address.encode())


async def start_session(
    uow: UnitOfWork,
    services: Services,
    user_id: UUID,
    *,
    address_hash: bytes,
    user_agent: str | None,
) -> TokensRead:
    """Start a session of a person who has shown who they are; return its first pair of tokens."""
    token = RefreshToken.make(make_id())
    login_session = LoginSession(
        id=token.session_id,
        user_id=user_id,
        token_hash=token.digest,
        rotated_at=uow.now,
        user_agent=user_agent[:MAX_USER_AGENT] if user_agent else None,
        address_hash=address_hash,
        created_at=uow.now,
        expires_at=uow.now + REFRESH_LIFETIME,
    )
    uow.session.add(login_session)
    await uow.session.flush()
    return await _issue_pair(uow, services, login_session, token)


async def refresh(uow: UnitOfWork, services: Services, text: str) -> TokensRead:
    """Exchange a refresh token for the next pair. Raises InvalidRefreshToken.

    A token that was used before ends the session, since one of its two users is a thief. Within the
    grace the token just used is taken for the same client's retry and gets the same pair again.
    """
    try:
        token = RefreshToken.parse(text)
    except TokenError as error:
        raise InvalidRefreshToken from error
    successor = token.rotate(services.signer)
    login_session = await queries.lock_session(uow.session, token.session_id, uow.now)
    if login_session is None:
        raise InvalidRefreshToken
    if compare_digest(token.digest, login_session.token_hash):
        login_session.token_hash = successor.digest
        login_session.previous_token_hash = token.digest
        login_session.rotated_at = uow.now
        login_session.expires_at = uow.now + REFRESH_LIFETIME
        return await _issue_pair(uow, services, login_session, successor)
    if _is_retry(login_session, token, services.clock.now()):
        return _to_pair(services, login_session, successor, now=services.clock.now())
    login_session.revoked_at = uow.now
    uow.keep_changes()
    raise InvalidRefreshToken


async def log_out(uow: UnitOfWork, actor: Actor) -> None:
    """End the session that asks, unless something else just did.

    Raises SessionNotFound for a credential that belongs to no session.
    """
    if actor.session_id is None:
        raise SessionNotFound
    await queries.revoke_session(uow.session, actor.session_id, actor.id, uow.now)


async def end_session(uow: UnitOfWork, actor: Actor, session_id: UUID) -> None:
    """End one of the actor's sessions. Raises SessionNotFound."""
    if not await queries.revoke_session(uow.session, session_id, actor.id, uow.now):
        raise SessionNotFound


async def log_out_elsewhere(uow: UnitOfWork, actor: Actor) -> None:
    """End every session of the actor except the one that asks."""
    await queries.revoke_other_sessions(uow.session, actor.id, actor.session_id, uow.now)


async def log_out_everywhere(uow: UnitOfWork, user_id: UUID) -> None:
    """End every session of a person and delete all their tokens, with the next request."""
    await queries.revoke_other_sessions(uow.session, user_id, None, uow.now)
    await queries.delete_credentials(uow.session, user_id)


async def change_password(
    uow: UnitOfWork, services: Services, actor: Actor, body: PasswordUpdate
) -> None:
    """Set a new password and end every other session. Raises WrongPassword."""
    async with services.database.read_session() as session:
        current_hash = (await users.get_user(session, actor.id)).password_hash
    if not await verify_password(body.current_password, current_hash):
        raise WrongPassword
    new_hash = await hash_password(body.new_password)
    if not await replace_password_hash(uow, actor.id, before=current_hash, after=new_hash):
        # Another session changed it meanwhile, and thereby ended this one.
        raise WrongPassword
    await log_out_elsewhere(uow, actor)


def _is_retry(login_session: LoginSession, token: RefreshToken, now: datetime) -> bool:
    """Tell whether a token is the one just replaced, sent again within the grace.

    `now` is read under the lock: before it, a request that waited for the first one would be older
    than that. An age below zero means that the wall clock was moved back.
    """
    previous = login_session.previous_token_hash
    age = now - login_session.rotated_at
    return (
        previous is not None
        and compare_digest(token.digest, previous)
        and -CLOCK_SKEW <= age <= REFRESH_GRACE
    )


async def _issue_pair(
    uow: UnitOfWork, services: Services, login_session: LoginSession, token: RefreshToken
) -> TokensRead:
    """Store the access token that goes with a refresh token, and return both."""
    token_hash = hash_token(token.to_access_token(services.signer))
    expires_at = login_session.rotated_at + ACCESS_LIFETIME
    await queries.add_access_token(uow.session, login_session, token_hash, expires_at)
    return _to_pair(services, login_session, token, now=uow.now)


def _to_pair(
    services: Services, login_session: LoginSession, token: RefreshToken, *, now: datetime
) -> TokensRead:
    left = login_session.rotated_at + ACCESS_LIFETIME - now
    return TokensRead(
        access_token=token.to_access_token(services.signer),
        token_type="Bearer",  # noqa: S106 - the name of a scheme
        expires_in=min(int(left.total_seconds()), int(ACCESS_LIFETIME.total_seconds())),
        refresh_token=str(token),
    )
