"""Signatures of messages to other servers, by the Standard Webhooks specification.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime

SECRET_PREFIX = "whsec_"  # noqa: S105 - what secrets begin with
# In bytes; the specification asks for 24 to 64.
_SECRET_SIZE = 32


def make_secret() -> str:
    """Return a new secret, as receivers are given it."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_SIZE)).decode()


def sign_message(
    secrets_in_use: Iterable[str], *, message_id: str, sent_at: datetime, body: bytes
) -> dict[str, str]:
    """Return the headers that prove who sent a body: one signature for each secret."""
    timestamp = str(int(sent_at.timestamp()))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{_sign(secret, signed)}" for secret in secrets_in_use),
    }


def _sign(secret: str, signed: bytes) -> str:
    return base64.b64encode(hmac.digest(_to_key(secret), signed, hashlib.sha256)).decode()


def _to_key(secret: str) -> bytes:
    """Return the key of a secret; one without the prefix, or not in Base64, is the key itself."""
    if secret.startswith(SECRET_PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
        except binascii.Error:
            pass
    return secret.encode()
