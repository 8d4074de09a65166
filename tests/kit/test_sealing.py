"""Stored secrets: read again only with the key, the purpose and the place they were sealed for."""

import pytest

from api.kit.sealing import SealError, seal, unseal
from api.kit.signing import Signer

SIGNER = Signer("a secret for the tests, long enough")


def test_what_is_sealed_is_read_again_and_shows_nothing() -> None:
    sealed = seal(SIGNER, "webhook", b"whsec_abc", place=b"1")
    assert b"whsec" not in sealed
    assert unseal(SIGNER, "webhook", sealed, place=b"1") == b"whsec_abc"
    assert seal(SIGNER, "webhook", b"whsec_abc", place=b"1") != sealed


def test_nothing_else_reads_it() -> None:
    sealed = seal(SIGNER, "webhook", b"whsec_abc", place=b"1")
    changed = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for signer, purpose, content, place in (
        (Signer("another secret, just as long as the first"), "webhook", sealed, b"1"),
        (SIGNER, "push", sealed, b"1"),
        (SIGNER, "webhook", sealed, b"2"),
        (SIGNER, "webhook", changed, b"1"),
        (SIGNER, "webhook", b"", b"1"),
    ):
        with pytest.raises(SealError):
            unseal(signer, purpose, content, place=place)
