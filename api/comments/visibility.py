"""Who can see a comment: the only place, beside the lifecycle, that compares `state` and `listed`.

Two questions are asked of each audience: whether the comment is there at all (what is not seen is
404), and whether its text and author are shown (what is seen without them is a placeholder). Each
predicate takes the table or an alias of it. All of them are about the comment alone: that its
article is public is for `api.articles.visibility` to say.
"""

from typing import cast
from uuid import UUID

from sqlalchemy import ColumnElement, and_, literal, or_
from sqlalchemy.orm import aliased
from sqlmodel import col

from api.kit.db.predicates import to_sql
from models import Comment, CommentState

# What an author reads of their own although nobody else does.
_SHOWN_TO_AUTHOR = (CommentState.PENDING,)
# What is neither shown nor gone. Staff sees it.
_WITHHELD = (CommentState.PENDING, CommentState.HIDDEN, CommentState.REMOVED)
# A deletion by the author is final for everybody.
_HIDDEN_FROM_STAFF = (CommentState.DELETED,)


def is_listed(comment: type[Comment] = Comment) -> ColumnElement[bool]:
    """Return whether the public sees it: in full, or as a placeholder above listed replies."""
    return cast(ColumnElement[bool], col(comment.listed))


def shows_text(comment: type[Comment] = Comment) -> ColumnElement[bool]:
    """Return whether the public sees its text and its author."""
    # The state is part of the statement: as a parameter it would not fit the partial indexes.
    return col(comment.state) == literal(CommentState.VISIBLE.value, literal_execute=True)


def is_withheld(comment: type[Comment] = Comment) -> ColumnElement[bool]:
    """Return whether its text is there, and the public does not see it."""
    # As in the index of such comments.
    return col(comment.state).in_([literal(one.value, literal_execute=True) for one in _WITHHELD])


def is_own_pending(viewer_id: UUID, comment: type[Comment] = Comment) -> ColumnElement[bool]:
    """Return whether it is the viewer's, waits for a moderator, and nobody else sees it yet."""
    return and_(is_withheld(comment), _is_own(viewer_id, comment))


def is_own_unseen(viewer_id: UUID, comment: type[Comment] = Comment) -> ColumnElement[bool]:
    """Return whether it is the viewer's, who has a shadow ban, and nobody else sees it."""
    return or_(is_own_pending(viewer_id, comment), is_own_shadowed(viewer_id, comment))


def is_own_shadowed(viewer_id: UUID, comment: type[Comment] = Comment) -> ColumnElement[bool]:
    """Return whether it is the viewer's, and a shadow ban keeps others from seeing it."""
    is_own = col(comment.author_id) == viewer_id
    return and_(is_withheld(comment), is_own, col(comment.is_shadowed))


def is_listed_for(viewer_id: UUID, comment: type[Comment] = Comment) -> ColumnElement[bool]:
    """Return whether a viewer sees it: what the public sees, and their own pending comments."""
    return or_(is_listed(comment), _is_own(viewer_id, comment))


def shows_text_to(viewer_id: UUID, comment: type[Comment] = Comment) -> ColumnElement[bool]:
    """Return whether a viewer sees its text and its author."""
    return or_(shows_text(comment), _is_own(viewer_id, comment))


def shows_own_text_to(viewer_id: UUID, comment: type[Comment] = Comment) -> ColumnElement[bool]:
    """Return whether a viewer wrote it and did not delete it.

    An author reads what was hidden or removed, to understand why.
    """
    return and_(col(comment.author_id) == viewer_id, shows_text_to_staff(comment))


def is_listed_for_staff(comment: type[Comment] = Comment) -> ColumnElement[bool]:
    """Return whether a moderator sees it: what the public sees, and all whose text they do."""
    return or_(is_listed(comment), shows_text_to_staff(comment))


def shows_text_to_staff(comment: type[Comment] = Comment) -> ColumnElement[bool]:
    """Return whether a moderator sees its text: whatever its author did not delete."""
    return col(comment.state).not_in(_HIDDEN_FROM_STAFF)


def is_known(comment: type[Comment] = Comment) -> ColumnElement[bool]:
    """Return whether the public sees it or once did: it may be told that it is gone."""
    return or_(is_listed(comment), col(comment.is_announced))


def is_visible(state: CommentState) -> bool:
    """Return whether the public sees the text of a comment in this state: `shows_text` in Python.

    Only such a comment takes replies, votes and edits.
    """
    return state is CommentState.VISIBLE


def _is_own(viewer_id: UUID, comment: type[Comment]) -> ColumnElement[bool]:
    return and_(col(comment.author_id) == viewer_id, col(comment.state).in_(_SHOWN_TO_AUTHOR))


# The same of rows `c` and `p`, for statements that are written as text.
_C = aliased(Comment, name="c")
LISTED_C = to_sql(is_listed(_C))
LISTED_P = to_sql(is_listed(aliased(Comment, name="p")))
SHOWS_TEXT_C = to_sql(shows_text(_C))
WITHHELD_C = to_sql(is_withheld(_C))
KNOWN_C = to_sql(is_known(_C))
