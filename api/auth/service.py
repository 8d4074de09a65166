"""Logging in, staying in, logging out."""

import unicodedata
from uuid import UUID

from api.auth import queries
from api.auth.actor import Actor
from api.auth.errors import InvalidCredentials, InvalidRefreshToken, SessionNotFound
from api.auth.passwords import hash_password, is_outdated, verify_password
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
from api.kit.uow import Uow, unit_of_work
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
    if is_outdated(user.password_hash):
        user.password_hash = await hash_password(body.password)
        await uow.session.merge(user)
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


async def refresh(uow: Uow, text: str) -> TokensRead:
    """Exchange a refresh token for the next pair.

    A token that was used before ends the login, since one of its two users is a thief; within the
    grace it is taken for the same client's retry and gets the same answer. Raises
    InvalidRefreshToken.
    """
    try:
        token = RefreshToken.parse(text)
    except TokenError as error:
        raise InvalidRefreshToken from error
    successor = token.rotate(uow.services.signer)
    user_id = await queries.rotate_token(uow.session, token, successor, uow.now)
    if user_id is None:
        login = await queries.find_session(uow.session, token.session_id, uow.now)
        if login is None:
            raise InvalidRefreshToken
        is_retry = token.digest == login.previous_token_hash
        if not is_retry or uow.now - login.rotated_at > REFRESH_GRACE:
            # The refusal rolls this request back, so the end of the login is a change of its own.
            async with unit_of_work(uow.services) as other:
                await queries.revoke_session(other.session, login.id, login.user_id, other.now)
            raise InvalidRefreshToken
        user_id = login.user_id
    return _pair(uow, user_id, successor)


async def log_out(uow: Uow, actor: Actor, session_id: UUID) -> None:
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
