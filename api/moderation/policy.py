"""Who moderates what: pure rules, without I/O."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from api.auth.actor import Actor
from api.moderation.errors import NotAModerator, OutsideYourScope


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeratorScope:
    """What of the forum a person moderates: all of it, or some articles and tags."""

    is_global: bool = False
    article_ids: frozenset[UUID] = frozenset()
    tags: frozenset[str] = frozenset()

    @property
    def is_empty(self) -> bool:
        """Return whether the person moderates nothing."""
        return not (self.is_global or self.article_ids or self.tags)


# The command line, and the service itself.
EVERYTHING = ModeratorScope(is_global=True)


@dataclass(frozen=True, slots=True)
class Moderator:
    """Who decides, and about what they may; without an id it is the service or the operator."""

    id: UUID | None
    scope: ModeratorScope


def may_moderate(scope: ModeratorScope, article_id: UUID, tags: Collection[str]) -> bool:
    """Return whether a scope covers the comments of an article that has these tags."""
    return scope.is_global or article_id in scope.article_ids or not scope.tags.isdisjoint(tags)


def require_may_moderate(scope: ModeratorScope, article_id: UUID, tags: Collection[str]) -> None:
    """Raise OutsideYourScope unless a scope covers the comments of an article."""
    if not may_moderate(scope, article_id, tags):
        raise OutsideYourScope


def require_moderator(scope: ModeratorScope) -> None:
    """Raise NotAModerator for people who moderate nothing."""
    if scope.is_empty:
        raise NotAModerator


def require_global(scope: ModeratorScope) -> None:
    """Raise NotAModerator for people who do not moderate the whole forum."""
    if not scope.is_global:
        raise NotAModerator


def to_moderator(actor: Actor) -> Moderator:
    """Return an actor as a moderator: of the whole forum by role, or of what they were given."""
    scope = ModeratorScope(
        is_global=actor.is_staff,
        article_ids=actor.moderated_article_ids,
        tags=actor.moderated_tags,
    )
    return Moderator(actor.id, scope)
