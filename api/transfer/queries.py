"""Every statement of transfers."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

# Any number that no other program uses on this database; migrations have the one before it.
LOCK = 5_842_117_310


async def claim_import(session: AsyncSession) -> bool:
    """Return whether this is now the only transaction that imports, until it ends."""
    return bool(await session.scalar(select(func.pg_try_advisory_xact_lock(LOCK))))
