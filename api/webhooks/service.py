"""Create, change and delete webhooks, and rotate their secrets."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from api.articles import queries as articles
from api.articles.errors import ArticleNotFound
from api.auth.actor import Actor
from api.kit.db.ids import make_id
from api.kit.db.unit_of_work import UnitOfWork
from api.kit.http.conditional import ExpectedRevision, Resource, check_revision
from api.kit.http.outgoing import ForbiddenAddressError, OutgoingError
from api.kit.http.signed_messages import make_secret
from api.kit.services import Services
from api.notifications.recipients.service import notify_webhook_disabled
from api.users import queries as users
from api.webhooks import queries
from api.webhooks.errors import InvalidWebhookUrl, TooManyWebhooks, WebhookNotFound
from api.webhooks.queries import WebhookRow
from api.webhooks.schemas import WebhookCreate, WebhookUpdate
from api.webhooks.sealed_secrets import seal_secret
from models import Webhook, WebhookDisabledReason

MAX_WEBHOOKS = 20
# For this long both secrets sign, so that receivers can be changed one after the other.
OLD_SECRET_TIME = timedelta(hours=24)
# Seconds in which the name of a new address has to be resolved.
_RESOLVE_TIMEOUT = 3.0


async def create_webhook(
    uow: UnitOfWork, services: Services, actor: Actor, body: WebhookCreate
) -> tuple[WebhookRow, str]:
    """Create a webhook; return it with its secret.

    Raises InvalidWebhookUrl, TooManyWebhooks or ArticleNotFound.
    """
    await _check_url(services, body.url)
    if await queries.count_webhooks(uow.session) >= MAX_WEBHOOKS:
        raise TooManyWebhooks
    await _check_article(uow, body.article_id)
    webhook_id, secret = make_id(), make_secret()
    webhook = Webhook(
        id=webhook_id,
        owner_id=actor.id,
        url=body.url,
        description=body.description,
        event_types=[kind.value for kind in body.event_types],
        article_id=body.article_id,
        tag=body.tag,
        secret=seal_secret(services.signer, webhook_id, secret),
        created_at=uow.now,
    )
    uow.session.add(webhook)
    await uow.session.flush()
    return WebhookRow(webhook, await users.get_user(uow.session, actor.id)), secret


async def update_webhook(
    uow: UnitOfWork,
    services: Services,
    webhook_id: UUID,
    body: WebhookUpdate,
    expected: ExpectedRevision,
) -> WebhookRow:
    """Change a webhook.

    Raises InvalidWebhookUrl, WebhookNotFound, PreconditionFailed or ArticleNotFound.
    """
    if body.url is not None:
        await _check_url(services, body.url)
    row = await get_locked(uow, webhook_id)
    webhook = row.webhook
    check_revision(expected, to_resource(webhook_id), webhook.revision)
    await _check_article(uow, body.article_id)
    for name, value in _list_changes(uow, webhook, body).items():
        setattr(webhook, name, value)
    webhook.revision += 1
    webhook.edited_at = uow.now
    await uow.session.flush()
    return row


async def delete_webhook(uow: UnitOfWork, webhook_id: UUID, expected: ExpectedRevision) -> None:
    """Delete a webhook; messages that wait are not sent.

    Raises WebhookNotFound or PreconditionFailed.
    """
    row = await get_locked(uow, webhook_id)
    check_revision(expected, to_resource(webhook_id), row.webhook.revision)
    await uow.session.delete(row.webhook)


async def rotate_secret(uow: UnitOfWork, services: Services, webhook_id: UUID) -> tuple[str, Any]:
    """Give a webhook a new secret; return it, and until when the old one signs beside it.

    Only the newest two sign. Raises WebhookNotFound.
    """
    webhook = (await get_locked(uow, webhook_id)).webhook
    secret, ends_at = make_secret(), uow.now + OLD_SECRET_TIME
    webhook.previous_secret, webhook.previous_secret_ends_at = webhook.secret, ends_at
    webhook.secret = seal_secret(services.signer, webhook_id, secret)
    await uow.session.flush()
    return secret, ends_at


async def disable_webhook(uow: UnitOfWork, webhook_id: UUID) -> WebhookRow:
    """Disable a webhook, as the operator, and notify its owner. Raises WebhookNotFound."""
    row = await get_locked(uow, webhook_id)
    if row.webhook.disabled_at is not None:
        return row
    for name, value in _list_changes(uow, row.webhook, WebhookUpdate(is_enabled=False)).items():
        setattr(row.webhook, name, value)
    row.webhook.revision += 1
    await uow.session.flush()
    await notify_webhook_disabled(uow, user_id=row.webhook.owner_id, webhook_id=webhook_id)
    return row


async def get_locked(uow: UnitOfWork, webhook_id: UUID) -> WebhookRow:
    """Return a webhook whose row nobody else changes. Raises WebhookNotFound."""
    row = await queries.lock_webhook(uow.session, webhook_id)
    if row is None:
        raise WebhookNotFound
    return row


def to_resource(webhook_id: UUID) -> Resource:
    """Return what an entity tag of a webhook is of."""
    return Resource("webhook", webhook_id)


def _list_changes(uow: UnitOfWork, webhook: Webhook, body: WebhookUpdate) -> dict[str, Any]:
    """Return the new values of a webhook's columns."""
    sent = body.model_fields_set
    changes: dict[str, Any] = {}
    for name in ("url", "description"):
        if (value := getattr(body, name)) is not None:
            changes[name] = value
    if body.event_types is not None:
        changes["event_types"] = [kind.value for kind in body.event_types]
    for name, other in (("article_id", "tag"), ("tag", "article_id")):
        if name in sent:
            changes[name] = getattr(body, name)
            if changes[name] is not None:
                changes[other] = None
    if body.is_enabled is not None and body.is_enabled != (webhook.disabled_at is None):
        changes["failing_since"] = None
        changes["disabled_at"] = None if body.is_enabled else uow.now
        reason = None if body.is_enabled else WebhookDisabledReason.REQUESTED
        changes["disabled_reason"] = reason
    return changes


async def _check_url(services: Services, url: str) -> None:
    """Raise InvalidWebhookUrl for an address that nothing is sent to.

    No connection to the database is held meanwhile: it comes before the first statement.
    """
    if not services.outgoing.allows_private and not url.startswith("https://"):
        raise InvalidWebhookUrl("Send an https URL: messages must not be readable on their way.")
    try:
        await replace(services.outgoing, timeout=_RESOLVE_TIMEOUT).check(url)
    except ForbiddenAddressError as error:
        raise InvalidWebhookUrl(
            "Send a URL whose host leads to public addresses only; this one has another."
        ) from error
    except OutgoingError as error:
        raise InvalidWebhookUrl(f"Check the URL: {error}.") from error


async def _check_article(uow: UnitOfWork, article_id: UUID | None) -> None:
    if article_id is not None and await articles.find_article(uow.session, article_id) is None:
        raise ArticleNotFound
