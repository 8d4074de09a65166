"""Idempotency keys: the response to a request is stored with what it changed, in one commit.

Of two requests with one key at the same time, the second does not wait: it gets a 409.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col
from starlette.responses import Response

from api.kit.db.unit_of_work import UnitOfWork
from api.kit.problems import Problem
from models import IdempotencyKey

MAX_KEY_LENGTH = 255
# The headers that belong to the response itself; the others are made again.
_KEPT_HEADERS = ("content-type", "etag", "location")


class IdempotencyKeyReused(Problem):
    """The key came before with another request."""

    status = 422
    code = "idempotency_key_reused"
    title = "Idempotency-Key used for another request"
    detail = "Use a new key for a new request, and the same body with the same key."


class IdempotencyInProgress(Problem):
    """The first request with this key is still running."""

    status = 409
    code = "idempotency_in_progress"
    title = "First request still in progress"
    detail = "Send the same request with the same Idempotency-Key again in a second."
    headers = (("Retry-After", "1"),)


class Replay(Exception):  # noqa: N818 - not an error: it carries the stored response past the route
    """The request was carried out before; this is its response."""

    def __init__(self, kept: IdempotencyKey) -> None:
        super().__init__(kept.key)
        self.kept = kept

    def to_response(self) -> Response:
        """Return the stored response, marked as such."""
        return Response(
            self.kept.body,
            status_code=self.kept.status,
            headers={**self.kept.headers, "Idempotent-Replayed": "true"},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyedRequest:
    """A request under a key: `fingerprint` tells it from another under the same one."""

    owner: str
    key: str
    fingerprint: bytes

    async def begin(self, uow: UnitOfWork) -> None:
        """Claim the key for this transaction.

        Raises Replay when the request was carried out, IdempotencyKeyReused when the key belongs to
        another request, IdempotencyInProgress while the first one is running.
        """
        name = f"{self.owner} {self.key}"
        claim = func.pg_try_advisory_xact_lock(func.hashtextextended(name, 0))
        claimed = await uow.session.scalar(select(claim))
        # In one statement with the claim, this would not see a response that was committed between
        # the statement's snapshot and the claim, and the request would be carried out again.
        kept = await uow.session.get(IdempotencyKey, (self.owner, self.key))
        if kept is not None:
            if kept.fingerprint != self.fingerprint:
                raise IdempotencyKeyReused
            # Rolling back would make the session forget what it read.
            uow.session.expunge(kept)
            raise Replay(kept)
        if not claimed:
            raise IdempotencyInProgress

    async def keep(self, uow: UnitOfWork, response: Response) -> None:
        """Store the response with the change."""
        uow.session.add(
            IdempotencyKey(
                owner=self.owner,
                key=self.key,
                fingerprint=self.fingerprint,
                status=response.status_code,
                headers={
                    name: response.headers[name]
                    for name in _KEPT_HEADERS
                    if name in response.headers
                },
                body=bytes(response.body),
                created_at=uow.now,
            )
        )


async def purge_keys(session: AsyncSession, *, before: datetime, limit: int) -> int:
    """Delete at most `limit` keys from before a moment, with their responses; return how many."""
    old = (
        select(col(IdempotencyKey.owner), col(IdempotencyKey.key))
        .where(col(IdempotencyKey.created_at) < before)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte()
    )
    statement = (
        delete(IdempotencyKey)
        .where(col(IdempotencyKey.owner) == old.c.owner, col(IdempotencyKey.key) == old.c.key)
        .returning(col(IdempotencyKey.key))
        .execution_options(synchronize_session=False)
    )
    return len((await session.execute(statement)).all())
