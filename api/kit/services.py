"""What a process has: made once by the composition root, and handed to whoever needs it."""

from dataclasses import dataclass

from api.kit.cache import VersionedCache
from api.kit.clock import Clock
from api.kit.database import Database
from api.kit.events import Effects
from api.kit.lookups import Lookups
from api.kit.ratelimits import Limiter
from api.kit.redis import GuardedRedis
from api.kit.settings import Settings
from api.kit.signing import Signer


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The engines and shared machinery of one process."""

    settings: Settings
    clock: Clock
    signer: Signer
    database: Database
    redis: GuardedRedis
    limiter: Limiter
    cache: VersionedCache
    lookups: Lookups
    effects: Effects

    async def close(self) -> None:
        """Close every connection."""
        await self.redis.close()
        await self.database.close()
