"""What never changes once known is asked for once."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from api.kit.db import lookups as kit
from api.kit.db.database import Database
from api.kit.db.epoch import EpochReader
from api.kit.db.lookups import Lookups

ONE, TWO = UUID(int=1), UUID(int=2)


class Source:
    """A loader that counts how often it is asked."""

    def __init__(self, *answers: UUID | None) -> None:
        self.answers = list(answers)

    async def __call__(self, _: AsyncSession) -> UUID | None:
        return self.answers.pop(0)


@pytest.fixture
async def lookups(database_url: str) -> AsyncIterator[Lookups]:
    database = Database(database_url, pool_size=1)
    yield Lookups(database, EpochReader(database))
    await database.close()


async def test_what_was_found_is_not_asked_for_again(lookups: Lookups) -> None:
    source = Source(ONE)
    assert [await lookups.find("key", source) for _ in range(3)] == [ONE] * 3
    assert await lookups.find(("key", 2), Source(TWO)) == TWO


async def test_what_was_not_found_may_come_to_be(lookups: Lookups) -> None:
    source = Source(None, None, ONE)
    assert [await lookups.find("key", source) for _ in range(4)] == [None, None, ONE, ONE]


async def test_what_was_not_asked_for_the_longest_is_forgotten_first(
    lookups: Lookups, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kit, "MAX_ENTRIES", 2)
    for key in ("first", "second", "first", "third"):
        await lookups.find(key, Source(ONE))
    assert await lookups.find("first", Source()) == ONE
    assert await lookups.find("third", Source()) == ONE
    assert await lookups.find("second", Source(TWO)) == TWO
