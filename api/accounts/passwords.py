"""Passwords: argon2id, in a small pool of threads that yield to the rest of the process."""

import asyncio
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# How many are hashed at once. A flood of log-ins waits in the pool's queue, where it costs neither
# processor time nor the 19 MiB that each hash takes.
MAX_HASHES = 4
# Added to the process's nice value. At the same priority eight log-ins at once take most of a core
# from the event loop: reads at 500/s then wait 20 ms instead of 1 (`log-ins` in benchmarks/).
_NICENESS = 10

# OWASP's minimum for argon2id: 19 MiB, 2 passes, 1 lane. About 25 ms a hash.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# Checked for an unknown login, so that it takes the same time as a wrong password.
_NOBODY = _hasher.hash("nobody has this password")


async def hash_password(password: str) -> str:
    """Return the encoded hash of a password."""
    return await asyncio.get_running_loop().run_in_executor(_pool, _hasher.hash, password)


async def verify_password(password: str, encoded: str | None) -> bool:
    """Return whether the password matches; without a hash it does not, after the same time."""
    loop = asyncio.get_running_loop()
    matches = await loop.run_in_executor(_pool, _verify, password, encoded or _NOBODY)
    return matches and encoded is not None


def _verify(password: str, encoded: str) -> bool:
    try:
        return _hasher.verify(encoded, password)
    except (VerificationError, InvalidHashError):
        return False


def _lower_priority() -> None:
    """Make the calling thread yield to others. Only Linux has a nice value for each thread."""
    if sys.platform == "linux":
        # Where the system forbids it, hashing works all the same.
        with suppress(OSError):
            thread = threading.get_native_id()
            priority = os.getpriority(os.PRIO_PROCESS, thread) + _NICENESS
            os.setpriority(os.PRIO_PROCESS, thread, min(19, priority))


_pool = ThreadPoolExecutor(MAX_HASHES, "password", initializer=_lower_priority)
