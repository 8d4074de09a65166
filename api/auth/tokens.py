"""Tokens: a short-lived one that says who asks, and an opaque one that gets the next of those."""

import base64
import binascii
import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from uuid import UUID

import jwt

from api.kit.signing import Signer

ACCESS_LIFETIME = timedelta(minutes=10)
REFRESH_LIFETIME = timedelta(days=30)
# How long a token that was just used up still gets the answer that its use got.
REFRESH_GRACE = timedelta(seconds=10)

MAX_ACCESS_LENGTH = 1024
MAX_REFRESH_LENGTH = 100
# Tokens whose signature need not be checked again; about a kilobyte each.
MAX_VERIFIED = 4096

_ISSUER = "palaver"
_TYPE = "at+jwt"  # RFC 9068: so that no other JWT of this secret is taken for an access token
_PREFIX = "par_"
_ID_SIZE = 16
_SECRET_SIZE = 32


class TokenError(Exception):
    """The token is not one of ours, or no longer good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessClaims:
    """What an access token says."""

    user_id: UUID
    session_id: UUID
    # Seconds since 1970.
    expires_at: float


def issue_access_token(signer: Signer, *, user_id: UUID, session_id: UUID, now: datetime) -> str:
    """Return a JWT that is good for ACCESS_LIFETIME from `now`."""
    claims = {
        "iss": _ISSUER,
        "aud": _ISSUER,
        "sub": str(user_id),
        "sid": str(session_id),
        "iat": int(now.timestamp()),
        "exp": int((now + ACCESS_LIFETIME).timestamp()),
    }
    return jwt.encode(
        claims, signer.key_for("access-token"), algorithm="HS256", headers={"typ": _TYPE}
    )


def parse_access_token(signer: Signer, token: str, *, now: datetime) -> AccessClaims:
    """Return what the token says. Raises TokenError."""
    if len(token) > MAX_ACCESS_LENGTH:
        raise TokenError
    claims = _verify(signer.key_for("access-token"), token)
    if claims.expires_at <= now.timestamp():
        raise TokenError
    return claims


# A token comes with every request of its bearer, and what it says never changes; whether it is
# still good is asked each time. Only what we signed is remembered: a forgery raises.
@lru_cache(maxsize=MAX_VERIFIED)
def _verify(key: bytes, token: str) -> AccessClaims:
    try:
        decoded = jwt.decode_complete(
            token,
            key,
            algorithms=["HS256"],
            audience=_ISSUER,
            issuer=_ISSUER,
            # Times are compared by the caller, by our own clock.
            options={
                "require": ["exp", "iat", "sub", "sid", "iss", "aud"],
                "verify_exp": False,
                "verify_iat": False,
            },
        )
        claims = decoded["payload"]
        if decoded["header"].get("typ") != _TYPE:
            raise TokenError
        return AccessClaims(
            user_id=UUID(claims["sub"]),
            session_id=UUID(claims["sid"]),
            expires_at=float(claims["exp"]),
        )
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise TokenError from error


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A session's id and the secret that its next refresh needs."""

    session_id: UUID
    secret: bytes

    @classmethod
    def make(cls, session_id: UUID) -> "RefreshToken":
        """Return the first token of a session."""
        return cls(session_id, secrets.token_bytes(_SECRET_SIZE))

    @classmethod
    def parse(cls, text: str) -> "RefreshToken":
        """Return the token that `str()` wrote. Raises TokenError."""
        try:
            raw = base64.b64decode(text.removeprefix(_PREFIX), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError) as error:
            raise TokenError from error
        if not text.startswith(_PREFIX) or len(raw) != _ID_SIZE + _SECRET_SIZE:
            raise TokenError
        return cls(UUID(bytes=raw[:_ID_SIZE]), raw[_ID_SIZE:])

    def __str__(self) -> str:
        raw = self.session_id.bytes + self.secret
        return _PREFIX + base64.urlsafe_b64encode(raw).decode()

    @property
    def digest(self) -> bytes:
        """Return what is stored; the secret is random, so a fast hash is enough."""
        return hashlib.sha256(self.secret).digest()

    def rotate(self, signer: Signer) -> "RefreshToken":
        """Return the token after this one.

        It is derived, not random: a client whose answer got lost asks again with the old token and
        gets the same new one, without our keeping any token in the clear.
        """
        derived = signer.sign("refresh-token", self.session_id.bytes + self.secret)
        return RefreshToken(self.session_id, derived)
