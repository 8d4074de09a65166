"""THE table: periodic jobs, and how often each runs."""

from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from api.accounts import queries as accounts
from api.kit.db import deliveries, outbox
from api.kit.dispatcher import MAX_RETRY_DELAY
from api.kit.http import idempotency
from api.kit.jobs import Job
from api.kit.services import Services
from api.mail.service import schedule_digests
from api.moderation.rules import queries as rules
from api.moderation.statistics import queries as statistics
from api.notifications.inbox import queries as inbox
from api.realtime import queries as realtime
from api.votes.service import publish_scores
from api.webhooks import queries as webhooks

# Rows deleted in one transaction.
PURGE_BATCH = 5000
KEEP_RESPONSES = timedelta(hours=24)
# Also after their deliveries were made or given up.
KEEP_EVENTS = timedelta(days=30)
KEEP_DEAD_DELIVERIES = timedelta(days=30)
KEEP_WEBHOOK_ATTEMPTS = timedelta(days=30)
KEEP_SESSIONS = timedelta(days=7)
KEEP_READ_NOTIFICATIONS = timedelta(days=90)
KEEP_NOTIFICATIONS = timedelta(days=365)
# Longer than any appeal takes; their figures stay.
KEEP_SCREENING_DECISIONS = timedelta(days=365)
KEEP_DRY_RUNS = timedelta(days=30)

_MINUTE = 60.0
_PURGE_EVERY = 10 * _MINUTE


class Purge(Protocol):
    """Deletes at most `limit` rows from before a moment; returns how many."""

    async def __call__(self, session: AsyncSession, /, *, before: datetime, limit: int) -> int:
        """Raise DatabaseUnavailable."""
        ...


def _purge(name: str, purge: Purge, *, keep: timedelta) -> Job:
    """Return the job that deletes what is older than `keep`, one batch at a time."""

    async def run(services: Services) -> bool:
        async with services.database.write_session() as session:
            before = services.clock.now() - keep
            return await purge(session, before=before, limit=PURGE_BATCH) == PURGE_BATCH

    return Job(name=name, interval=_PURGE_EVERY, run=run)


async def hasten_deliveries(services: Services) -> bool:
    """Make deliveries due that wait longer than any retry does: the clock was moved back."""
    now = services.clock.now()
    async with services.database.write_session() as session:
        await deliveries.hasten_deliveries(session, beyond=now + MAX_RETRY_DELAY, now=now)
    return False


JOBS = (
    # Readers see new scores about so late; each thread with votes gets one version as often.
    Job(name="publish_scores", interval=1.0, run=publish_scores, is_shared=True),
    Job(name="schedule_digests", interval=_MINUTE, run=schedule_digests),
    Job(name="hasten_deliveries", interval=_MINUTE, run=hasten_deliveries),
    _purge("purge_responses", idempotency.purge_keys, keep=KEEP_RESPONSES),
    _purge("purge_events", outbox.purge_events, keep=KEEP_EVENTS),
    _purge("purge_dead_deliveries", deliveries.purge_dead, keep=KEEP_DEAD_DELIVERIES),
    _purge("purge_webhook_attempts", webhooks.purge_attempts, keep=KEEP_WEBHOOK_ATTEMPTS),
    _purge("purge_credentials", accounts.purge_credentials, keep=timedelta()),
    _purge("purge_sessions", accounts.purge_sessions, keep=KEEP_SESSIONS),
    _purge("purge_read_notifications", inbox.purge_read, keep=KEEP_READ_NOTIFICATIONS),
    _purge("purge_notifications", inbox.purge_old, keep=KEEP_NOTIFICATIONS),
    _purge("purge_screening_decisions", statistics.purge_decisions, keep=KEEP_SCREENING_DECISIONS),
    _purge("purge_dry_runs", rules.purge_dry_runs, keep=KEEP_DRY_RUNS),
    _purge("purge_stream_tickets", realtime.purge_tickets, keep=timedelta()),
)
