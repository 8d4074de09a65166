"""Who may do what with a comment. Pure: rows in, verdict out."""

from typing import NoReturn
from uuid import UUID

from api.auth.actor import Actor
from api.auth.policy import may_moderate, may_use
from api.auth.scopes import Scope
from api.comments.errors import (
    ArticleLocked,
    CommentGone,
    NotYourComment,
    ParentElsewhere,
    ParentGone,
    ParentNotFound,
    ThreadTooDeep,
)
from api.comments.visibility import is_visible
from models import MAX_DEPTH, Comment, CommentState


def may_reply(actor: Actor, *, is_locked: bool) -> bool:
    """Tell whether the actor may reply under an article; to a locked one only moderators may."""
    return may_use(actor, Scope.COMMENTS_WRITE) and (
        not is_locked or may_moderate(actor, Scope.COMMENTS_MODERATE)
    )


def require_may_reply(actor: Actor, *, is_locked: bool) -> None:
    """Raise ArticleLocked unless the actor may reply; routes check the scope before."""
    if not may_reply(actor, is_locked=is_locked):
        raise ArticleLocked


def refuse_parent(parent: Comment | None, article_id: UUID) -> NoReturn:
    """Raise why nothing can stand under a comment: of the reasons there are, the one it is.

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
    if not is_visible(comment.state):
        raise CommentGone


def state_after_delete(actor: Actor, comment: Comment) -> CommentState:
    """Return what a comment becomes when the actor takes it back.

    By its author it is deleted, by staff removed. Raises NotYourComment or CommentGone.
    """
    if comment.author_id != actor.id and not may_moderate(actor, Scope.COMMENTS_MODERATE):
        raise NotYourComment
    if not is_visible(comment.state):
        raise CommentGone
    return CommentState.DELETED if comment.author_id == actor.id else CommentState.REMOVED
