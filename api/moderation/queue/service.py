"""Claim items of the review queue, so that two moderators do not look at the same one."""

from datetime import timedelta
from uuid import UUID

from api.articles import queries as articles
from api.kit.db.unit_of_work import UnitOfWork
from api.moderation.errors import ReviewItemNotFound
from api.moderation.items import queries as items
from api.moderation.items.policy import require_unclaimed
from api.moderation.policy import Moderator, require_global, require_may_moderate
from models import ReviewItem

# Long enough to read a thread, and short enough to be forgotten.
CLAIM_TIME = timedelta(minutes=10)


async def claim_item(uow: UnitOfWork, moderator: Moderator, item_id: UUID) -> ReviewItem:
    """Claim an item for CLAIM_TIME, or extend the claim.

    Raises ReviewItemNotFound, OutsideYourScope, NotAModerator or ClaimedByAnother.
    """
    item = await _lock_item(uow, moderator, item_id)
    item.claimed_by, item.claimed_until = moderator.id, uow.now + CLAIM_TIME
    return item


async def release_item(uow: UnitOfWork, moderator: Moderator, item_id: UUID) -> None:
    """End one's claim on an item. Raises as `claim_item` does."""
    item = await _lock_item(uow, moderator, item_id)
    item.claimed_by = item.claimed_until = None


async def _lock_item(uow: UnitOfWork, moderator: Moderator, item_id: UUID) -> ReviewItem:
    item = await items.lock_item(uow.session, item_id)
    if item is None:
        raise ReviewItemNotFound
    tags = await articles.find_tags(uow.session, item.article_id)
    require_may_moderate(moderator.scope, item.article_id, tags)
    if item.is_escalated:
        require_global(moderator.scope)
    require_unclaimed(item, moderator.id, uow.now)
    return item
