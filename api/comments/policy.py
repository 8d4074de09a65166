"""Who may do what with a comment: pure rules, without I/O."""

from datetime import datetime
from typing import NoReturn, Protocol
from uuid import UUID

from api.auth.actor import Actor, ActorKind, kind_of
from api.auth.policy import may_moderate, may_use
from api.auth.scopes import Scope
from api.comments.errors import (
    ArticleClosed,
    ArticleLocked,
    CommentGone,
    MembersOnly,
    NotYourComment,
    ParentElsewhere,
    ParentGone,
    ParentNotFound,
    ThreadTooDeep,
)
from api.comments.visibility import is_visible
from models import MAX_DEPTH, Comment, CommentState, SanctionKind


class Discussion(Protocol):
    """What of an article decides who may reply under it."""

    @property
    def is_locked(self) -> bool:
        """Whether it takes no replies."""

    @property
    def closes_at(self) -> datetime | None:
        """From when on it takes no replies."""

    @property
    def is_members_only(self) -> bool:
        """Whether it takes no replies of newcomers."""


def may_reply(actor: Actor, discussion: Discussion, now: datetime) -> bool:
    """Return whether the actor may reply under an article, apart from how often."""
    return may_use(actor, Scope.COMMENTS_WRITE) and _find_refusal(actor, discussion, now) is None


def require_may_reply(actor: Actor, discussion: Discussion, now: datetime) -> None:
    """Raise ArticleLocked, ArticleClosed or MembersOnly unless the actor may reply.

    Routes check the scope before.
    """
    refusal = _find_refusal(actor, discussion, now)
    if refusal is not None:
        raise refusal


def is_slowed_down(actor: Actor, slow_mode_seconds: int) -> bool:
    """Return whether slow mode, if the article has it, limits the actor's comments."""
    return slow_mode_seconds > 0 and not may_moderate(actor, Scope.COMMENTS_MODERATE)


def _find_refusal(
    actor: Actor, discussion: Discussion, now: datetime
) -> type[ArticleLocked | ArticleClosed | MembersOnly] | None:
    """Return why an article takes no reply of the actor; it takes any of a moderator."""
    if may_moderate(actor, Scope.COMMENTS_MODERATE):
        return None
    if discussion.is_locked:
        return ArticleLocked
    if discussion.closes_at is not None and discussion.closes_at <= now:
        return ArticleClosed
    if discussion.is_members_only and kind_of(actor, now) is ActorKind.NEWCOMER:
        return MembersOnly
    return None


def refuse_parent(parent: Comment | None, article_id: UUID) -> NoReturn:
    """Raise why a comment takes no replies: the first reason that applies.

    Raises ParentNotFound, ParentElsewhere, ThreadTooDeep or ParentGone.
    """
    if parent is None:
        raise ParentNotFound
    if parent.article_id != article_id:
        raise ParentElsewhere
    if parent.depth >= MAX_DEPTH:
        raise ThreadTooDeep
    raise ParentGone


def require_may_edit(actor: Actor, comment: Comment) -> None:
    """Raise NotYourComment or CommentGone unless the actor may change the text."""
    if comment.author_id != actor.id:
        raise NotYourComment
    if not is_visible(get_state_for(actor, comment)):
        raise CommentGone


def is_shadow_banned(actor: Actor) -> bool:
    """Return whether nobody else may see what the actor writes, who must not notice."""
    return SanctionKind.SHADOW_BAN in actor.restrictions


class Written(Protocol):
    """What of a comment decides which state its author is told."""

    @property
    def author_id(self) -> UUID | None:
        """Who wrote it; None if unknown."""

    @property
    def state(self) -> CommentState:
        """Its state."""

    @property
    def is_shadowed(self) -> bool:
        """Whether a shadow ban alone keeps it from being seen."""


def get_state_for(actor: Actor, comment: Written) -> CommentState:
    """Return the state that the actor is told: nothing shows a shadow ban to the author."""
    is_own = comment.author_id == actor.id
    is_unnoticed = is_own and comment.is_shadowed and is_shadow_banned(actor)
    return CommentState.VISIBLE if is_unnoticed else comment.state


def get_state_after_delete(actor: Actor, comment: Comment) -> CommentState:
    """Return what a comment becomes when the actor deletes it: removed, if it is another's.

    Raises NotYourComment. That the comment can get into this state is for the lifecycle to say.
    """
    if comment.author_id == actor.id:
        return CommentState.DELETED
    if not may_moderate(actor, Scope.COMMENTS_MODERATE):
        raise NotYourComment
    return CommentState.REMOVED
