"""Who may do what with a comment: pure rules, without I/O."""

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
    if not is_visible(comment.state):
        raise CommentGone


def get_state_after_delete(actor: Actor, comment: Comment) -> CommentState:
    """Return what a comment becomes when the actor deletes it: removed, if it is another's.

    Raises NotYourComment. That the comment can get into this state is for the lifecycle to say.
    """
    if comment.author_id == actor.id:
        return CommentState.DELETED
    if not may_moderate(actor, Scope.COMMENTS_MODERATE):
        raise NotYourComment
    return CommentState.REMOVED
