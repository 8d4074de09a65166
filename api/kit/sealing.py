"""Secrets that are stored and needed again, so that a hash is not enough: AES-256-GCM."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from api.kit.signing import Signer

_NONCE_SIZE = 12


class SealError(Exception):
    """It was sealed with another key, for another purpose or place, or was changed."""


def seal(signer: Signer, purpose: str, content: bytes, *, place: bytes) -> bytes:
    """Return content that only `unseal` reads, for the same purpose and place (a row's id)."""
    nonce = os.urandom(_NONCE_SIZE)
    return nonce + AESGCM(signer.key_for(purpose)).encrypt(nonce, content, place)


def unseal(signer: Signer, purpose: str, sealed: bytes, *, place: bytes) -> bytes:
    """Return what was sealed. Raises SealError."""
    nonce, encrypted = sealed[:_NONCE_SIZE], sealed[_NONCE_SIZE:]
    try:
        return AESGCM(signer.key_for(purpose)).decrypt(nonce, encrypted, place)
    except (InvalidTag, ValueError) as error:
        raise SealError("sealed with another key, or changed") from error
