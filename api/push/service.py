"""Use cases of Web Push: subscribe, unsubscribe, send."""

from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from uuid import UUID

import structlog
from sqlalchemy import RowMapping

from api.auth.actor import Actor
from api.kit.db.ids import make_id
from api.kit.db.unit_of_work import UnitOfWork
from api.kit.effects import DeliveryFailedError
from api.kit.http.outgoing import ForbiddenAddressError, OutgoingError
from api.kit.services import Services
from api.push import queries
from api.push.errors import (
    InvalidPushEndpoint,
    PushSubscriptionNotFound,
    TooManyPushSubscriptions,
)
from api.push.keys import (
    encrypt,
    get_public_key,
    make_authorization,
    parse_public_key,
    parse_secret,
)
from api.push.presenters import choose_urgency, make_topic, render_push
from api.push.schemas import PushSubscriptionCreate
from models import PushSubscription

log = structlog.get_logger(__name__)

MAX_SUBSCRIPTIONS = 20
# How long a push service keeps a message for a browser that is not connected.
TIME_TO_LIVE = timedelta(days=1)
# Seconds, for the name of a new endpoint, and for one message.
_RESOLVE_TIMEOUT = 3.0
_TIMEOUT = 5.0
_GONE = (HTTPStatus.NOT_FOUND, HTTPStatus.GONE)


async def create_subscription(
    uow: UnitOfWork, services: Services, actor: Actor, body: PushSubscriptionCreate
) -> PushSubscription:
    """Store a subscription, or replace the one of the same browser.

    Raises InvalidPushEndpoint or TooManyPushSubscriptions.
    """
    await _check_endpoint(services, body.endpoint)
    await queries.lock_owner(uow.session, actor.id)
    await queries.delete_ended(uow.session, actor.id, uow.now)
    others = await queries.count_others(uow.session, actor.id, body.endpoint)
    if others >= MAX_SUBSCRIPTIONS:
        raise TooManyPushSubscriptions
    subscription = PushSubscription(
        id=make_id(),
        user_id=actor.id,
        session_id=actor.session_id,
        endpoint=body.endpoint,
        p256dh=parse_public_key(body.keys.p256dh),
        auth=parse_secret(body.keys.auth),
        server_key=get_public_key(services.signer),
        created_at=uow.now,
    )
    return await queries.store_subscription(uow.session, subscription)


async def delete_subscription(uow: UnitOfWork, actor: Actor, subscription_id: UUID) -> None:
    """Delete a subscription of one's own. Raises PushSubscriptionNotFound."""
    if not await queries.delete_subscription(uow.session, subscription_id, user_id=actor.id):
        raise PushSubscriptionNotFound


async def push_notifications(
    services: Services, subscription_id: UUID, notification_ids: Collection[UUID]
) -> None:
    """Push what of these notifications is unread, can be seen and is wanted now.

    Raises DeliveryFailedError; then all of it is pushed again, each under the same topic.
    """
    now = services.clock.now()
    # Not a reading session, which a replica may serve: what was hidden since must not be sent.
    async with services.database.write_session() as session:
        subscription = await queries.find_subscription(session, subscription_id, now)
        if subscription is None:
            return
        rows = await queries.list_pushed(session, subscription.user_id, notification_ids, now)
    if subscription.server_key != get_public_key(services.signer):
        # The secret of the service was changed: no push service takes its messages any more.
        await _forget(services, subscription)
        return
    for row in rows:
        if not await _send(services, subscription, row):
            await _forget(services, subscription)
            return


async def _check_endpoint(services: Services, endpoint: str) -> None:
    """Raise InvalidPushEndpoint for an address that nothing is sent to.

    No connection to the database is held meanwhile: it comes before the first statement.
    """
    if not services.outgoing.allows_private and not endpoint.startswith("https://"):
        raise InvalidPushEndpoint
    try:
        await replace(services.outgoing, timeout=_RESOLVE_TIMEOUT).check(endpoint)
    except ForbiddenAddressError as error:
        raise InvalidPushEndpoint from error
    except OutgoingError as error:
        raise InvalidPushEndpoint(f"Check the endpoint: {error}.") from error


async def _send(services: Services, subscription: PushSubscription, row: RowMapping) -> bool:
    """Push one notification; return False when the subscription has ended.

    Raises DeliveryFailedError when the push service did not take it.
    """
    now = services.clock.now()
    content = encrypt(render_push(row), p256dh=subscription.p256dh, auth=subscription.auth)
    headers = {
        "Authorization": make_authorization(
            services.settings, services.signer, subscription.endpoint, now
        ),
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(int(TIME_TO_LIVE.total_seconds())),
        "Topic": make_topic(row),
        "Urgency": choose_urgency(row),
    }
    client = replace(services.outgoing, timeout=_TIMEOUT, truncates=True)
    try:
        response = await client.send("POST", subscription.endpoint, headers=headers, body=content)
    except OutgoingError as error:
        raise DeliveryFailedError(str(error)) from error
    if response.status in _GONE:
        return False
    if not HTTPStatus.OK <= response.status < HTTPStatus.MULTIPLE_CHOICES:
        raise DeliveryFailedError(f"status {response.status}", retry_after=response.find_pause())
    return True


async def _forget(services: Services, subscription: PushSubscription) -> None:
    """Delete a subscription that gets nothing any more, unless it was made anew meanwhile."""
    async with services.unit_of_work() as uow:
        await queries.delete_subscription(
            uow.session,
            subscription.id,
            user_id=subscription.user_id,
            endpoint=subscription.endpoint,
        )
    log.info("push_subscription_ended", subscription_id=str(subscription.id))
