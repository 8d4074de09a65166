"""Problems of webhooks."""

from api.kit.problems import Problem


class WebhookNotFound(Problem):
    """No webhook has this id."""

    status = 404
    code = "webhook_not_found"
    title = "Webhook not found"
    detail = "GET /v1/webhooks lists the ids of all webhooks."


class WebhookDeliveryNotFound(Problem):
    """The webhook's log has no such delivery."""

    status = 404
    code = "webhook_delivery_not_found"
    title = "Webhook delivery not found"
    detail = "List the webhook's deliveries: each is kept for 30 days."


class TooManyWebhooks(Problem):
    """There are as many webhooks as there may be."""

    status = 409
    code = "too_many_webhooks"
    title = "Too many webhooks"
    detail = "A forum has at most 20 webhooks; delete one first."


class InvalidWebhookUrl(Problem):
    """Nothing is sent to such an address."""

    status = 422
    code = "invalid_webhook_url"
    title = "Invalid webhook URL"
    detail = "Send an https URL without credentials whose host has public addresses only."


class WebhookMessageGone(Problem):
    """What the message is about is not public any more, so there is nothing to send."""

    status = 409
    code = "webhook_message_gone"
    title = "Nothing left to send"
    detail = "What the message is about is not public any more; the message is not sent again."
