"""Send messages, keep a log of the attempts, and disable webhooks that do not take them."""

import time
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from uuid import UUID

from api.articles.changes import PublicEvent
from api.kit.db.ids import make_id
from api.kit.effects import DeliveryFailedError
from api.kit.http.outgoing import OutgoingError, OutgoingResponse
from api.kit.http.signed_messages import sign_message
from api.kit.sealing import SealError
from api.kit.services import Services
from api.notifications.recipients.service import notify_webhook_disabled
from api.webhooks import queries
from api.webhooks.errors import WebhookDeliveryNotFound, WebhookMessageGone, WebhookNotFound
from api.webhooks.messages import Message, list_messages, make_test, render_message, to_message
from api.webhooks.sealed_secrets import list_secrets
from models import Webhook, WebhookAttempt

# Seconds, from resolving the name to the last byte of the response.
TIMEOUT = 15.0
# A webhook is disabled when no attempt has succeeded for so long since one failed.
DISABLED_AFTER = timedelta(days=5)
# Bytes of a response that are read, and characters of it that the log has.
_MAX_RESPONSE = 2000
_MAX_EXCERPT = 500
# Characters; errors are a few words, and never contents.
_MAX_ERROR = 200
USER_AGENT = "Palaver/1.0 (webhooks)"


async def deliver_event(services: Services, event: PublicEvent, webhook_id: UUID) -> None:
    """Send a webhook those messages of an event that it wants and that still show something.

    Raises DeliveryFailedError when it did not take one of them; then all are sent again.
    """
    # Not a reading session, which a replica may serve: what was hidden since must not be sent.
    async with services.database.write_session() as session:
        found = await queries.find_target(session, webhook_id, event.article_id, event.version)
        if found is None:
            return
        webhook, happened_at = found
        messages = list_messages(event, happened_at or services.clock.now())
        rendered = [
            (message, await render_message(session, webhook, message))
            for message in messages
            if message.type in webhook.event_types
        ]
    for message, body in rendered:
        if body is None:
            continue
        attempt, pause = await _send(services, webhook, message, body)
        is_disabled = await _log(services, webhook, attempt, counts=True)
        if is_disabled:
            return
        if attempt.error is not None:
            raise DeliveryFailedError(attempt.error, retry_after=pause)


async def send_test(services: Services, webhook_id: UUID) -> WebhookAttempt:
    """Send a test to a webhook, also to a disabled one. Raises WebhookNotFound.

    A failed test does not count towards disabling it.
    """
    async with services.database.read_session() as session:
        row = await queries.find_webhook(session, webhook_id)
        if row is None:
            raise WebhookNotFound
        message = make_test(services.clock.now())
        body = await render_message(session, row.webhook, message)
    return await _send_on_request(services, row.webhook, message, body)


async def replay_attempt(services: Services, webhook_id: UUID, attempt_id: UUID) -> WebhookAttempt:
    """Send the message of an attempt once more, with what is public now.

    Raises WebhookNotFound, WebhookDeliveryNotFound or WebhookMessageGone.
    """
    async with services.database.write_session() as session:
        row = await queries.find_webhook(session, webhook_id)
        if row is None:
            raise WebhookNotFound
        before = await queries.find_attempt(session, webhook_id, attempt_id)
        if before is None:
            raise WebhookDeliveryNotFound
        message = to_message(before)
        body = await render_message(session, row.webhook, message)
    return await _send_on_request(services, row.webhook, message, body)


async def _send_on_request(
    services: Services, webhook: Webhook, message: Message, body: bytes | None
) -> WebhookAttempt:
    if body is None:
        raise WebhookMessageGone
    attempt, _ = await _send(services, webhook, message, body)
    await _log(services, webhook, attempt, counts=False)
    return attempt


async def _send(
    services: Services, webhook: Webhook, message: Message, body: bytes
) -> tuple[WebhookAttempt, timedelta]:
    """Make one attempt; return what came of it, and the pause that the receiver asks for."""
    now = services.clock.now()
    client = replace(services.outgoing, timeout=TIMEOUT, max_response=_MAX_RESPONSE, truncates=True)
    response: OutgoingResponse | None = None
    error: str | None = None
    began = time.monotonic()
    try:
        signature = sign_message(
            list_secrets(services.signer, webhook, now),
            message_id=message.id,
            sent_at=now,
            body=body,
        )
        headers = {"Content-Type": "application/json", "User-Agent": USER_AGENT, **signature}
        response = await client.send("POST", webhook.url, headers=headers, body=body)
    except SealError:
        error = "the service has another secret key now: rotate this webhook's secret"
    except OutgoingError as failure:
        error = str(failure)[:_MAX_ERROR]
    duration = time.monotonic() - began
    if response is not None and not HTTPStatus(200) <= response.status < HTTPStatus(300):
        error = f"status {response.status}"
    attempt = WebhookAttempt(
        id=make_id(),
        webhook_id=webhook.id,
        message_id=message.id,
        type=message.type,
        article_id=message.article_id,
        version=message.version,
        comment_ids=list(message.comment_ids),
        occurred_at=message.occurred_at,
        attempt=1,
        status=None if response is None else response.status,
        duration_ms=round(duration * 1000),
        error=error,
        response_excerpt=None if response is None else _make_excerpt(response.body),
        created_at=now,
    )
    return attempt, timedelta() if response is None else response.find_pause()


async def _log(
    services: Services, webhook: Webhook, attempt: WebhookAttempt, *, counts: bool
) -> bool:
    """Store an attempt; return whether the webhook is disabled because of it.

    A failure that does not `count` changes nothing else.
    """
    async with services.unit_of_work() as uow:
        await queries.add_attempt(uow.session, attempt)
        if attempt.error is None:
            if webhook.failing_since is not None:
                await queries.note_success(uow.session, webhook.id)
            return False
        if not counts:
            return False
        owner_id = await queries.note_failure(
            uow.session,
            webhook.id,
            now=uow.now,
            fails_from=uow.now - DISABLED_AFTER,
            is_gone=attempt.status == HTTPStatus.GONE,
        )
        if owner_id is None:
            return False
        await notify_webhook_disabled(uow, user_id=owner_id, webhook_id=webhook.id)
        return True


def _make_excerpt(body: bytes) -> str:
    """Return the beginning of a response as one line of text."""
    text = body.decode("utf-8", "replace")
    return "".join(one if one.isprintable() else " " for one in text)[:_MAX_EXCERPT].strip()
