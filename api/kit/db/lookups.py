"""What never changes once known: which article a slug leads to, which one a comment is under."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from api.kit.db.database import Database
from api.kit.db.epoch import EpochReader

# Entries of some 300 bytes.
MAX_ENTRIES = 50_000


class Lookups:
    """A bounded memory of ids that were looked up. Only what was found is remembered.

    A database restored from a backup has another epoch, and may lead to other ids.
    """

    def __init__(self, database: Database, epoch: EpochReader) -> None:
        self._database = database
        self._epoch = epoch
        self._found_in = ""
        self._found: OrderedDict[Hashable, UUID] = OrderedDict()

    async def find(
        self, key: Hashable, load: Callable[[AsyncSession], Awaitable[UUID | None]]
    ) -> UUID | None:
        """Return the id of a key; `load` finds it in the database the first time."""
        epoch = (await self._epoch.get()).value
        if epoch != self._found_in:
            self._found.clear()
            self._found_in = epoch
        known = self._found.get(key)
        if known is not None:
            self._found.move_to_end(key)
            return known
        async with self._database.read_session() as session:
            found = await load(session)
        if found is not None and epoch == self._found_in:
            self._found[key] = found
            if len(self._found) > MAX_ENTRIES:
                self._found.popitem(last=False)
        return found
