"""Tokens: opaque texts with a prefix that says their kind and a checksum that catches typos.

`pal_at_` and `pal_rt_` begin access and refresh tokens, `pal_st_` tickets for streams. What follows
is base64url without padding: the payload, then the CRC-32 of prefix and payload. Secret scanners
can find a token and verify it, and a text that is no token is refused without a look at the
database.
"""

import base64
import hashlib
import secrets
import zlib
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from api.kit.signing import Signer

ACCESS_LIFETIME = timedelta(minutes=10)
REFRESH_LIFETIME = timedelta(days=30)
# How long a refresh token that was just used still gets the response that its use got.
REFRESH_GRACE = timedelta(seconds=10)

# Characters; enough for either form of a refresh token.
MAX_REFRESH_LENGTH = 100

_ACCESS_PREFIX = "pal_at_"
_REFRESH_PREFIX = "pal_rt_"
_TICKET_PREFIX = "pal_st_"
# Of refresh tokens made before they had a checksum. Each refresh replaces them; none is left 30
# days after the upgrade.
_OLD_REFRESH_PREFIX = "par_"
# Bytes.
_ID_SIZE = 16
_SECRET_SIZE = 32
_CHECKSUM_SIZE = 4


class TokenError(Exception):
    """The text is not a token of ours."""


def hash_token(token: str) -> bytes:
    """Return the 32 bytes that an access token is stored and looked up by. Raises TokenError."""
    _decode(_ACCESS_PREFIX, token, _SECRET_SIZE)
    # The secret is random, so a fast hash is enough.
    return hashlib.sha256(token.encode()).digest()


def make_access_token() -> str:
    """Return a new random access token."""
    return _encode(_ACCESS_PREFIX, secrets.token_bytes(_SECRET_SIZE))


def hash_ticket(ticket: str) -> bytes:
    """Return the 32 bytes that a ticket is stored and looked up by. Raises TokenError."""
    _decode(_TICKET_PREFIX, ticket, _SECRET_SIZE)
    return hashlib.sha256(ticket.encode()).digest()


def make_ticket() -> str:
    """Return a new random ticket for a stream."""
    return _encode(_TICKET_PREFIX, secrets.token_bytes(_SECRET_SIZE))


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
        size = _ID_SIZE + _SECRET_SIZE
        if text.startswith(_OLD_REFRESH_PREFIX):
            payload = _decode_base64(text.removeprefix(_OLD_REFRESH_PREFIX), size)
        else:
            payload = _decode(_REFRESH_PREFIX, text, size)
        return cls(UUID(bytes=payload[:_ID_SIZE]), payload[_ID_SIZE:])

    def __str__(self) -> str:
        return _encode(_REFRESH_PREFIX, self.session_id.bytes + self.secret)

    @property
    def digest(self) -> bytes:
        """Return what is stored; the secret is random, so a fast hash is enough."""
        return hashlib.sha256(self.secret).digest()

    def rotate(self, signer: Signer) -> "RefreshToken":
        """Return the token after this one.

        It is derived, not random: a client whose response got lost asks again with the old token
        and gets the same new pair, although no token is stored in the clear.
        """
        return RefreshToken(self.session_id, self._derive(signer, "refresh-token"))

    def to_access_token(self, signer: Signer) -> str:
        """Return the access token that is handed out with this one, derived for the same reason."""
        return _encode(_ACCESS_PREFIX, self._derive(signer, "access-token"))

    def _derive(self, signer: Signer, purpose: str) -> bytes:
        return signer.sign(purpose, self.session_id.bytes + self.secret)


def _encode(prefix: str, payload: bytes) -> str:
    text = base64.urlsafe_b64encode(payload + _checksum(prefix, payload))
    return prefix + text.decode().rstrip("=")


def _decode(prefix: str, text: str, size: int) -> bytes:
    """Return the payload of `size` bytes. Raises TokenError."""
    if not text.startswith(prefix):
        raise TokenError
    decoded = _decode_base64(text.removeprefix(prefix), size + _CHECKSUM_SIZE)
    payload, checksum = decoded[:size], decoded[size:]
    # No secret: whoever has the payload can compute it.
    if checksum != _checksum(prefix, payload):
        raise TokenError
    return payload


def _decode_base64(text: str, size: int) -> bytes:
    """Return `size` bytes from their one spelling. Raises TokenError."""
    if len(text) != -(-size * 4 // 3):
        raise TokenError
    try:
        decoded = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError as error:  # also binascii.Error, and a character that is not ASCII
        raise TokenError from error
    if base64.urlsafe_b64encode(decoded).decode().rstrip("=") != text:
        raise TokenError
    return decoded


def _checksum(prefix: str, payload: bytes) -> bytes:
    return zlib.crc32(prefix.encode() + payload).to_bytes(_CHECKSUM_SIZE, "big")
