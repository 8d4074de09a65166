"""Logging in, staying in, logging out."""

import unicodedata
from uuid import UUID

from api.auth import queries
from api.auth.actor import Actor
from api.auth.errors import InvalidCredentials, InvalidRefreshToken, SessionNotFound
from api.auth.passwords import verify_password
from api.auth.schemas import SessionCreate, TokensRead
from api.auth.tokens import (
    ACCESS_LIFETIME,
    REFRESH_GRACE,
    REFRESH_LIFETIME,
    RefreshToken,
    TokenError,
    issue_access_token,
)
from api.kit.ids import make_id
from api.kit.uow import Uow
from models import LoginSession

MAX_USER_AGENT = 256


def login_key(login: str) -> str:
    """Return the form in which handles and e-mail addresses are compared."""
    return unicodedata.normalize("NFKC", login).strip().lower()


async def log_in(uow: Uow, body: SessionCreate, user_agent: str | None) -> TokensRead:
    """Start a login. Raises InvalidCredentials, after the same time whether or not they exist."""
    async with uow.services.database.read() as session:
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
    return _pair(uow, user.id, token)


async def refresh(uow: Uow, text: str) -> TokensRead | None:
    """Exchange a refresh token for the next pair. Raises InvalidRefreshToken.

    A token that was used before ends the login, since one of its two users is a thief. That is told
    by None, because raising would take it back. Within the grace the token just used is taken for
    the same client's retry and gets the same successor again.
    """
    try:
        token = RefreshToken.parse(text)
    except TokenError as error:
        raise InvalidRefreshToken from error
    successor = token.rotate(uow.services.signer)
    login = await queries.lock_session(uow.session, token.session_id, uow.now)
    if login is None:
        raise InvalidRefreshToken
    if token.digest == login.token_hash:
        login.token_hash, login.previous_token_hash = successor.digest, token.digest
        login.rotated_at, login.expires_at = uow.now, uow.now + REFRESH_LIFETIME
    elif token.digest != login.previous_token_hash or uow.now - login.rotated_at > REFRESH_GRACE:
        login.revoked_at = uow.now
        return None
    return _pair(uow, login.user_id, successor)


async def log_out(uow: Uow, actor: Actor) -> None:
    """End the login that asks, unless something else just did."""
    await queries.revoke_session(uow.session, actor.session_id, actor.id, uow.now)


async def end_session(uow: Uow, actor: Actor, session_id: UUID) -> None:
    """End one of the actor's logins. Raises SessionNotFound."""
    if not await queries.revoke_session(uow.session, session_id, actor.id, uow.now):
        raise SessionNotFound


async def log_out_elsewhere(uow: Uow, actor: Actor) -> None:
    """End every login of the actor but the one that asks."""
    await queries.revoke_other_sessions(uow.session, actor.id, actor.session_id, uow.now)


def _pair(uow: Uow, user_id: UUID, token: RefreshToken) -> TokensRead:
    return TokensRead(
        access_token=issue_access_token(
            uow.services.signer, user_id=user_id, session_id=token.session_id, now=uow.now
        ),
        token_type="Bearer",  # noqa: S106 - the name of a scheme
        expires_in=int(ACCESS_LIFETIME.total_seconds()),
        refresh_token=str(token),
    )
