"""What a process makes of rows that seldom change, once for each version of them."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from api.kit.db.epoch import EpochReader

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Prepared:
    epoch: str
    version: int
    value: Any


class PreparedValues:
    """One value for each name: its newest version.

    A database that was restored from a backup has another epoch, and may have other rows under the
    same version.
    """

    def __init__(self, epoch: EpochReader) -> None:
        self._epoch = epoch
        self._values: dict[str, _Prepared] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def get(self, name: str, version: int, load: Callable[[], Awaitable[tuple[int, T]]]) -> T:
        """Return the value of a version, or of a newer one; `load` returns it with its version.

        Of many that ask at the same time, one loads it.
        """
        epoch = (await self._epoch.get()).value
        known = self._find(name, epoch, version)
        if known is None:
            async with self._locks[name]:
                known = self._find(name, epoch, version)
                if known is None:
                    known = self._values[name] = _Prepared(epoch, *await load())
        return cast(T, known.value)

    def _find(self, name: str, epoch: str, version: int) -> _Prepared | None:
        known = self._values.get(name)
        if known is None or known.epoch != epoch or known.version < version:
            return None
        return known
