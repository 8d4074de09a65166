"""Every statement of webhooks."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Select,
    Text,
    case,
    cast,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from api.kit.http.pagination import Slice, slice_rows
from models import (
    ArticleTag,
    OutboxEvent,
    User,
    Webhook,
    WebhookAttempt,
    WebhookDisabledReason,
    WebhookEventType,
)

# The name of the lock under which webhooks are counted and added.
_LOCK = "webhooks"


@dataclass(frozen=True, slots=True)
class WebhookRow:
    """A webhook, and who created it."""

    webhook: Webhook
    owner: User


async def find_targets(
    session: AsyncSession, article_id: UUID, types: Collection[WebhookEventType]
) -> list[UUID]:
    """Return the enabled webhooks that want one of these types of an article."""
    has_tag = exists().where(
        col(ArticleTag.article_id) == article_id, col(ArticleTag.tag) == col(Webhook.tag)
    )
    wanted = cast([kind.value for kind in types], ARRAY(Text))
    statement = select(col(Webhook.id)).where(
        col(Webhook.disabled_at).is_(None),
        col(Webhook.event_types).op("&&")(wanted),
        or_(col(Webhook.article_id).is_(None), col(Webhook.article_id) == article_id),
        or_(col(Webhook.tag).is_(None), has_tag),
    )
    return list(await session.scalars(statement))


async def find_webhook(session: AsyncSession, webhook_id: UUID) -> WebhookRow | None:
    """Return a webhook."""
    row = (await session.execute(_select_rows().where(col(Webhook.id) == webhook_id))).one_or_none()
    return None if row is None else WebhookRow(*row)


async def find_target(
    session: AsyncSession, webhook_id: UUID, article_id: UUID, version: int
) -> tuple[Webhook, datetime | None] | None:
    """Return a webhook that gets messages, and when an article got a version."""
    happened_at = select(col(OutboxEvent.created_at)).where(
        col(OutboxEvent.article_id) == article_id, col(OutboxEvent.version) == version
    )
    statement = select(Webhook, happened_at.scalar_subquery()).where(
        col(Webhook.id) == webhook_id, col(Webhook.disabled_at).is_(None)
    )
    row = (await session.execute(statement)).one_or_none()
    return None if row is None else (row[0], row[1])


async def lock_webhook(session: AsyncSession, webhook_id: UUID) -> WebhookRow | None:
    """Return a webhook whose row nobody else changes until the transaction ends."""
    statement = _select_rows().where(col(Webhook.id) == webhook_id).with_for_update(of=Webhook)
    row = (await session.execute(statement)).one_or_none()
    return None if row is None else WebhookRow(*row)


async def list_webhooks(
    session: AsyncSession, *, after: tuple[datetime, UUID] | None, limit: int
) -> Slice[WebhookRow]:
    """Return webhooks, the newest first."""
    statement = (
        _select_rows()
        .order_by(col(Webhook.created_at).desc(), col(Webhook.id).desc())
        .limit(limit + 1)
    )
    if after is not None:
        statement = statement.where(
            tuple_(col(Webhook.created_at), col(Webhook.id)) < tuple_(*after)
        )
    rows = [WebhookRow(*row) for row in await session.execute(statement)]
    return slice_rows(rows, limit)


async def count_webhooks(session: AsyncSession) -> int:
    """Return how many webhooks there are; nobody else adds one until the transaction ends."""
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(_LOCK, 0))))
    return await session.scalar(select(func.count()).select_from(Webhook)) or 0


async def add_attempt(session: AsyncSession, attempt: WebhookAttempt) -> None:
    """Store an attempt, as the next one at its message."""
    before = select(func.coalesce(func.max(col(WebhookAttempt.attempt)), 0)).where(
        col(WebhookAttempt.webhook_id) == attempt.webhook_id,
        col(WebhookAttempt.message_id) == attempt.message_id,
    )
    values = attempt.model_dump() | {"attempt": before.scalar_subquery() + 1}
    statement = insert(WebhookAttempt).values(values).returning(col(WebhookAttempt.attempt))
    attempt.attempt = await session.scalar(statement) or 1


async def find_attempt(
    session: AsyncSession, webhook_id: UUID, attempt_id: UUID
) -> WebhookAttempt | None:
    """Return an attempt at a message to a webhook."""
    statement = select(WebhookAttempt).where(
        col(WebhookAttempt.id) == attempt_id, col(WebhookAttempt.webhook_id) == webhook_id
    )
    return (await session.scalars(statement)).one_or_none()


async def list_attempts(
    session: AsyncSession,
    webhook_id: UUID,
    *,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> Slice[WebhookAttempt]:
    """Return the attempts at messages to a webhook, the newest first."""
    statement = (
        select(WebhookAttempt)
        .where(col(WebhookAttempt.webhook_id) == webhook_id)
        .order_by(col(WebhookAttempt.created_at).desc(), col(WebhookAttempt.id).desc())
        .limit(limit + 1)
    )
    if after is not None:
        position = tuple_(col(WebhookAttempt.created_at), col(WebhookAttempt.id))
        statement = statement.where(position < tuple_(*after))
    return slice_rows((await session.scalars(statement)).all(), limit)


async def note_success(session: AsyncSession, webhook_id: UUID) -> None:
    """Note that a webhook took a message."""
    await session.execute(
        update(Webhook)
        .where(col(Webhook.id) == webhook_id, col(Webhook.failing_since).is_not(None))
        .values(failing_since=None)
        .execution_options(synchronize_session=False)
    )


async def note_failure(
    session: AsyncSession, webhook_id: UUID, *, now: datetime, fails_from: datetime, is_gone: bool
) -> UUID | None:
    """Note that a webhook did not take a message; disable it if it is gone, or fails for too long.

    That is since `fails_from` or before. Return the owner of a webhook that was disabled by this.
    """
    ends = true() if is_gone else col(Webhook.failing_since) <= fails_from
    reason = WebhookDisabledReason.GONE if is_gone else WebhookDisabledReason.FAILING
    statement = (
        update(Webhook)
        .where(col(Webhook.id) == webhook_id, col(Webhook.disabled_at).is_(None))
        .values(
            failing_since=func.coalesce(col(Webhook.failing_since), now),
            disabled_at=case((ends, now), else_=None),
            disabled_reason=case((ends, reason.value), else_=None),
            revision=col(Webhook.revision) + case((ends, 1), else_=0),
        )
        .returning(col(Webhook.owner_id), col(Webhook.disabled_at))
        .execution_options(synchronize_session=False)
    )
    row = (await session.execute(statement)).one_or_none()
    return None if row is None or row.disabled_at is None else row.owner_id


async def purge_attempts(session: AsyncSession, *, before: datetime, limit: int) -> int:
    """Delete at most `limit` attempts from before a moment; return how many."""
    old = (
        select(col(WebhookAttempt.id))
        .where(col(WebhookAttempt.created_at) < before)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte()
    )
    statement = (
        delete(WebhookAttempt)
        .where(col(WebhookAttempt.id) == old.c.id)
        .returning(col(WebhookAttempt.id))
        .execution_options(synchronize_session=False)
    )
    return len((await session.execute(statement)).all())


def _select_rows() -> Select[Webhook, User]:
    statement = select(Webhook, User)
    return statement.join(User, col(User.id) == col(Webhook.owner_id))
