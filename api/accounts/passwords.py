"""Passwords: argon2id, in threads, with a bound on how many are hashed at once."""

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# OWASP's minimum for argon2id: 19 MiB, 2 passes, 1 lane. About 25 ms a hash.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# Many log-ins at once wait here instead of taking 19 MiB each.
_turns = asyncio.Semaphore(4)
# What the password of an unknown login is compared with, so that it takes the same time.
_NOBODY = _hasher.hash("nobody has this password")


async def hash_password(password: str) -> str:
    """Return the encoded hash of a password."""
    async with _turns:
        return await asyncio.to_thread(_hasher.hash, password)


async def verify_password(password: str, encoded: str | None) -> bool:
    """Tell whether the password is the one; without a hash it is not, after the same time."""
    async with _turns:
        matches = await asyncio.to_thread(_verify, password, encoded or _NOBODY)
    return matches and encoded is not None


def _verify(password: str, encoded: str) -> bool:
    try:
        return _hasher.verify(encoded, password)
    except (VerificationError, InvalidHashError):
        return False
