"""Keys for the different things that are signed, all derived from the one secret."""

import hashlib
import hmac


class Signer:
    """Makes HMAC-SHA256 tags.

    Each purpose has a key of its own, so that a tag of a cursor is worth nothing as anything else.
    """

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()
        self._keys: dict[str, bytes] = {}

    def key_for(self, purpose: str) -> bytes:
        """Return the 32-byte key of a purpose ("cursor", "access-token")."""
        key = self._keys.get(purpose)
        if key is None:
            key = hmac.digest(self._secret, b"palaver/" + purpose.encode(), hashlib.sha256)
            self._keys[purpose] = key
        return key

    def sign(self, purpose: str, message: bytes) -> bytes:
        """Return the 32-byte tag of a message."""
        return hmac.digest(self.key_for(purpose), message, hashlib.sha256)
