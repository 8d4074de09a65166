"""HTTP for Web Push."""

from typing import Annotated
from uuid import UUID

from fastapi import Path

from api.auth.actor import Actor
from api.auth.dependencies import requires
from api.auth.quotas import Action, limit
from api.auth.scopes import Scope
from api.kit.db.database import DatabaseUnavailable
from api.kit.dependencies import ReadSession, ServicesDep, UowDep
from api.kit.http.problem_responses import problems
from api.kit.http.routing import make_router
from api.push import queries, service
from api.push.errors import (
    InvalidPushEndpoint,
    PushSubscriptionNotFound,
    TooManyPushSubscriptions,
)
from api.push.keys import encode, get_public_key
from api.push.schemas import (
    PushKeyRead,
    PushSubscriptionCreate,
    PushSubscriptionList,
    PushSubscriptionRead,
)
from models import PushSubscription

router = make_router("notifications")

Reader = Annotated[Actor, requires(Scope.NOTIFICATIONS_READ)]
Writer = Annotated[Actor, requires(Scope.NOTIFICATIONS_WRITE)]


# Who asks is looked up in the database.
@router.get("/push/key", responses=problems(DatabaseUnavailable))
async def read_push_key(_: Reader, services: ServicesDep) -> PushKeyRead:
    """Get the key for push subscriptions.

    For `applicationServerKey`. It changes with the service's secret: then subscribe again.
    """
    return PushKeyRead(public_key=encode(get_public_key(services.signer)))


@router.get("/me/push-subscriptions")
async def list_push_subscriptions(
    actor: Reader, session: ReadSession, services: ServicesDep
) -> PushSubscriptionList:
    """List your push subscriptions.

    At most 20, the newest first.
    """
    found = await queries.list_subscriptions(session, actor.id, services.clock.now())
    return PushSubscriptionList(data=[_to_read(one, actor) for one in found])


@router.post(
    "/me/push-subscriptions",
    status_code=201,
    responses=problems(InvalidPushEndpoint, TooManyPushSubscriptions),
    dependencies=[limit(Action.PUSH_SUBSCRIBE)],
)
async def create_push_subscription(
    body: PushSubscriptionCreate, actor: Writer, uow: UowDep, services: ServicesDep
) -> PushSubscriptionRead:
    """Create a push subscription.

    One for each browser: it replaces the one of the same endpoint, whosever that was. It ends with
    the session that it was made in.
    """
    return _to_read(await service.create_subscription(uow, services, actor, body), actor)


@router.delete(
    "/me/push-subscriptions/{subscription_id}",
    status_code=204,
    responses=problems(PushSubscriptionNotFound),
    dependencies=[limit(Action.PUSH_SUBSCRIBE)],
)
async def delete_push_subscription(
    subscription_id: Annotated[UUID, Path(description="The subscription's id.")],
    actor: Writer,
    uow: UowDep,
) -> None:
    """Delete a push subscription."""
    await service.delete_subscription(uow, actor, subscription_id)


def _to_read(subscription: PushSubscription, actor: Actor) -> PushSubscriptionRead:
    return PushSubscriptionRead(
        id=subscription.id,
        endpoint=subscription.endpoint,
        created_at=subscription.created_at,
        is_current=subscription.session_id is not None
        and subscription.session_id == actor.session_id,
    )
