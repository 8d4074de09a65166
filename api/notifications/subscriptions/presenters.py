"""Subscriptions as they are shown."""

from api.comments.schemas import ArticleLink
from api.notifications.subscriptions.queries import AnySubscription, FollowedRow
from api.notifications.subscriptions.schemas import (
    ListedSubscription,
    SubscriptionRead,
    SubscriptionType,
)
from api.users.schemas import PersonRead
from models import ArticleSubscription, SubscriptionLevel, TagSubscription


def to_subscription(subscription: AnySubscription | None) -> SubscriptionRead:
    """Return a subscription, or what applies without one."""
    return SubscriptionRead(
        level=SubscriptionLevel.REPLIES if subscription is None else subscription.level,
        is_default=subscription is None,
        is_automatic=_is_automatic(subscription),
    )


def to_listed(row: FollowedRow, kind: SubscriptionType) -> ListedSubscription:
    """Return a subscription with what it is about."""
    subscription, article = row.subscription, row.article
    return ListedSubscription(
        level=subscription.level,
        is_default=False,
        is_automatic=_is_automatic(subscription),
        type=kind,
        article=article and ArticleLink(id=article.id, slug=article.slug, title=article.title),
        user=row.user and PersonRead.model_validate(row.user),
        tag=subscription.tag if isinstance(subscription, TagSubscription) else None,
        created_at=subscription.created_at,
    )


def _is_automatic(subscription: AnySubscription | None) -> bool:
    return isinstance(subscription, ArticleSubscription) and subscription.is_automatic
