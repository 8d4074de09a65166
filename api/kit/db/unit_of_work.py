"""One request, one transaction: changed rows, reactions inside the transaction, event rows."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from api.kit.db.events import Event, ThreadEvent

_INSERT_EVENT = text("""
INSERT INTO events (type, article_id, version, payload, created_at)
VALUES (:type, :article_id, :version, :payload, :created_at)
""").bindparams(
    bindparam("article_id", type_=Uuid()),
    bindparam("version", type_=BigInteger()),
    bindparam("payload", type_=JSONB()),
)


class UnitOfWork:
    """A session, the moment at which everything in it happens, and the events that it emits.

    `Services.unit_of_work` opens one, commits it, and runs what follows the commit.
    """

    def __init__(self, session: AsyncSession, now: datetime) -> None:
        self.session = session
        self.now = now
        self.events: list[Event] = []
        self.keeps_changes = False

    def keep_changes(self) -> None:
        """Commit also when the request ends with a Problem raised after this.

        For the rare refusal that has to leave a trace: a refresh token used twice ends its session,
        and the client is refused all the same. Any other exception still rolls back.
        """
        self.keeps_changes = True

    def emit(self, event: Event) -> None:
        """Record that something happened; what follows from it is in `api.effects`."""
        self.events.append(event)

    async def flush_events(
        self,
        react: Callable[["UnitOfWork", Event], Awaitable[None]],
        finish: Callable[["UnitOfWork", Sequence[Event]], Awaitable[None]],
    ) -> None:
        """Write what belongs in the transaction: changed rows, reactions, event rows.

        `react` runs the reactions of one event that belong in the transaction, `finish` those that
        take all its events at once.
        """
        await self.session.flush()
        # A reaction may emit in turn, so the list can grow while it is walked.
        for event in self.events:
            await react(self, event)
        before = len(self.events)
        await finish(self, tuple(self.events))
        for event in self.events[before:]:
            await react(self, event)
        if self.events:
            await self.session.execute(
                _INSERT_EVENT, [self._to_row(event) for event in self.events]
            )

    def _to_row(self, event: Event) -> dict[str, Any]:
        in_thread = event if isinstance(event, ThreadEvent) else None
        return {
            "type": event.type,
            "article_id": in_thread and in_thread.article_id,
            "version": in_thread and in_thread.version,
            "payload": event.to_payload(),
            "created_at": self.now,
        }
