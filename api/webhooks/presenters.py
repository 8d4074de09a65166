"""Webhooks and their deliveries as administrators see them."""

from api.users.schemas import PersonRead
from api.webhooks.queries import WebhookRow
from api.webhooks.schemas import WebhookCreated, WebhookDeliveryRead, WebhookRead
from models import WebhookAttempt


def to_webhook(row: WebhookRow) -> WebhookRead:
    """Return a webhook without its secret."""
    webhook = row.webhook
    return WebhookRead.model_validate(
        {
            **webhook.model_dump(
                include=set(WebhookRead.model_fields),
            ),
            "owner": PersonRead.model_validate(row.owner),
            "is_enabled": webhook.disabled_at is None,
        }
    )


def to_created_webhook(row: WebhookRow, secret: str) -> WebhookCreated:
    """Return a webhook with its secret, which is shown this once."""
    return WebhookCreated.model_validate({**to_webhook(row).model_dump(), "secret": secret})


def to_delivery(attempt: WebhookAttempt) -> WebhookDeliveryRead:
    """Return an attempt as the log shows it."""
    fields = attempt.model_dump(include=set(WebhookDeliveryRead.model_fields))
    return WebhookDeliveryRead.model_validate({**fields, "is_success": attempt.error is None})
