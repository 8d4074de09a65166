"""HTTP for webhooks: for administrators, who connect the forum with a site of their own."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Path, Request, Response

from api.articles.errors import ArticleNotFound
from api.auth.actor import Actor
from api.auth.dependencies import requires
from api.auth.quotas import Action, limit
from api.auth.scopes import Scope
from api.kit.db.database import DatabaseUnavailable
from api.kit.dependencies import ReadSession, ServicesDep, UowDep
from api.kit.http.cacheability import private_response
from api.kit.http.conditional import IfMatch, make_resource_response
from api.kit.http.pagination import CursorParam, InvalidCursor, Keyset, Limit, link_next
from api.kit.http.problem_responses import problems
from api.kit.http.routing import make_router
from api.kit.problems import declares
from api.moderation.moderators.errors import NotAnAdministrator
from api.moderation.moderators.policy import require_admin
from api.webhooks import queries, sending, service
from api.webhooks.errors import (
    InvalidWebhookUrl,
    TooManyWebhooks,
    WebhookDeliveryNotFound,
    WebhookMessageGone,
    WebhookNotFound,
)
from api.webhooks.presenters import to_created_webhook, to_delivery, to_webhook
from api.webhooks.queries import WebhookRow
from api.webhooks.schemas import (
    WebhookCreate,
    WebhookCreated,
    WebhookDeliveryPage,
    WebhookDeliveryRead,
    WebhookPage,
    WebhookRead,
    WebhookSecret,
    WebhookUpdate,
)
from models import WebhookAttempt

router = make_router("webhooks")

WebhookId = Annotated[UUID, Path(description="The webhook's id.")]
DeliveryId = Annotated[UUID, Path(description="The delivery's id.")]

# Without a key: the response has a secret, which must not be stored (docs/decisions/0006).
_CREATED: dict[int | str, dict[str, Any]] = {201: {"headers": {"ETag": {}, "Location": {}}}}


@declares(NotAnAdministrator)
async def require_reader(actor: Annotated[Actor, requires(Scope.WEBHOOKS_READ)]) -> Actor:
    """Return who is asking, if they are an administrator."""
    require_admin(actor)
    return actor


@declares(NotAnAdministrator)
async def require_writer(actor: Annotated[Actor, requires(Scope.WEBHOOKS_WRITE)]) -> Actor:
    """Return who is asking, if they are an administrator."""
    require_admin(actor)
    return actor


WebhookReader = Annotated[Actor, Depends(require_reader)]
WebhookWriter = Annotated[Actor, Depends(require_writer)]


@router.post(
    "/webhooks",
    status_code=201,
    response_model=WebhookCreated,
    responses={**problems(InvalidWebhookUrl, TooManyWebhooks, ArticleNotFound), **_CREATED},
    dependencies=[limit(Action.WEBHOOK)],
)
async def create_webhook(
    request: Request,
    body: WebhookCreate,
    actor: WebhookWriter,
    uow: UowDep,
    services: ServicesDep,
) -> Response:
    """Create a webhook.

    For administrators; at most 20. The messages are listed under `webhooks` in this document. The
    secret in the response is not shown again.
    """
    row, secret = await service.create_webhook(uow, services, actor, body)
    response = await make_resource_response(
        request,
        to_created_webhook(row, secret),
        resource=service.to_resource(row.webhook.id),
        revision=row.webhook.revision,
        status=201,
    )
    response.headers["Location"] = f"/v1/webhooks/{row.webhook.id}"
    return response


@router.get("/webhooks", responses=problems(InvalidCursor))
async def list_webhooks(
    request: Request,
    response: Response,
    _: WebhookReader,
    session: ReadSession,
    services: ServicesDep,
    limit: Limit = 20,
    cursor: CursorParam = None,
) -> WebhookPage:
    """List webhooks.

    For administrators. The newest come first.
    """
    keyset = Keyset(services.signer, "webhooks")
    rows = await queries.list_webhooks(session, after=keyset.parse(cursor), limit=limit)
    page = keyset.make_page(rows, lambda row: (row.webhook.created_at, row.webhook.id))
    link_next(request, response, page.next_cursor)
    return WebhookPage(data=[to_webhook(row) for row in rows.data], page=page)


@router.get(
    "/webhooks/{webhook_id}", response_model=WebhookRead, responses=problems(WebhookNotFound)
)
@private_response
async def read_webhook(
    request: Request, webhook_id: WebhookId, _: WebhookReader, session: ReadSession
) -> Response:
    """Get a webhook."""
    row = await queries.find_webhook(session, webhook_id)
    if row is None:
        raise WebhookNotFound
    return await _make_response(request, row)


@router.patch(
    "/webhooks/{webhook_id}",
    response_model=WebhookRead,
    responses=problems(WebhookNotFound, InvalidWebhookUrl, ArticleNotFound),
    dependencies=[limit(Action.WEBHOOK)],
)
async def update_webhook(
    request: Request,
    webhook_id: WebhookId,
    body: WebhookUpdate,
    _: WebhookWriter,
    uow: UowDep,
    services: ServicesDep,
    if_match: IfMatch,
) -> Response:
    """Edit a webhook.

    `is_enabled` stops and starts it.
    """
    row = await service.update_webhook(uow, services, webhook_id, body, if_match)
    return await _make_response(request, row)


@router.delete(
    "/webhooks/{webhook_id}",
    status_code=204,
    responses=problems(WebhookNotFound),
    dependencies=[limit(Action.WEBHOOK)],
)
async def delete_webhook(
    webhook_id: WebhookId, _: WebhookWriter, uow: UowDep, if_match: IfMatch
) -> None:
    """Delete a webhook.

    Messages that wait are not sent.
    """
    await service.delete_webhook(uow, webhook_id, if_match)


@router.post(
    "/webhooks/{webhook_id}/rotate-secret",
    responses=problems(WebhookNotFound),
    dependencies=[limit(Action.WEBHOOK)],
)
async def rotate_webhook_secret(
    webhook_id: WebhookId, _: WebhookWriter, uow: UowDep, services: ServicesDep
) -> WebhookSecret:
    """Change a webhook's secret.

    For 24 hours messages have two signatures, one with each secret. If you rotate again meanwhile,
    only the newest two secrets count.
    """
    secret, ends_at = await service.rotate_secret(uow, services, webhook_id)
    return WebhookSecret(secret=secret, previous_secret_ends_at=ends_at)


@router.post(
    "/webhooks/{webhook_id}/test",
    responses=problems(WebhookNotFound, DatabaseUnavailable),
    dependencies=[limit(Action.WEBHOOK_SEND)],
)
async def send_webhook_test(
    webhook_id: WebhookId, _: WebhookWriter, services: ServicesDep
) -> WebhookDeliveryRead:
    """Test a webhook.

    It sends a `webhook.test` message at once, also to a disabled webhook, and returns what came of
    it, after at most 15 seconds. A failed test disables nothing.
    """
    return to_delivery(await sending.send_test(services, webhook_id))


@router.get("/webhooks/{webhook_id}/deliveries", responses=problems(WebhookNotFound, InvalidCursor))
async def list_webhook_deliveries(
    request: Request,
    response: Response,
    webhook_id: WebhookId,
    _: WebhookReader,
    session: ReadSession,
    services: ServicesDep,
    limit: Limit = 50,
    cursor: CursorParam = None,
) -> WebhookDeliveryPage:
    """List a webhook's deliveries.

    Every attempt of the last 30 days, the newest first.
    """
    if await queries.find_webhook(session, webhook_id) is None:
        raise WebhookNotFound
    keyset = Keyset(services.signer, f"webhook deliveries {webhook_id}")
    rows = await queries.list_attempts(session, webhook_id, after=keyset.parse(cursor), limit=limit)
    page = keyset.make_page(rows, _position_of)
    link_next(request, response, page.next_cursor)
    return WebhookDeliveryPage(data=[to_delivery(row) for row in rows.data], page=page)


@router.post(
    "/webhooks/{webhook_id}/deliveries/{delivery_id}/replay",
    responses=problems(
        WebhookNotFound, WebhookDeliveryNotFound, WebhookMessageGone, DatabaseUnavailable
    ),
    dependencies=[limit(Action.WEBHOOK_SEND)],
)
async def replay_webhook_delivery(
    webhook_id: WebhookId, delivery_id: DeliveryId, _: WebhookWriter, services: ServicesDep
) -> WebhookDeliveryRead:
    """Send a message again.

    At once, under the same `webhook-id`, and with what is public now. It returns what came of it,
    after at most 15 seconds.
    """
    return to_delivery(await sending.replay_attempt(services, webhook_id, delivery_id))


def _position_of(attempt: WebhookAttempt) -> tuple[datetime, UUID]:
    return attempt.created_at, attempt.id


async def _make_response(request: Request, row: WebhookRow) -> Response:
    return await make_resource_response(
        request,
        to_webhook(row),
        resource=service.to_resource(row.webhook.id),
        revision=row.webhook.revision,
    )
