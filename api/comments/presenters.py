"""What a writer gets back: the comment as written, and what became of its mentions."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import RowMapping

from api.auth.actor import Actor
from api.comments.mentions.parsing import Mention
from api.comments.mentions.presenters import to_unresolved_mention
from api.comments.mentions.resolution import ResolvedText
from api.comments.policy import get_state_for
from api.comments.projection import FIELDS, to_comment_fields
from api.comments.schemas import CommentWritten, PersonComment
from api.comments.service import Created, Updated
from models import Comment

# Of a comment that nobody has replied to, voted on or changed yet.
_AT_FIRST = {name: Comment.model_fields[name].default for name in FIELDS} | {"score": 0}


def to_created_comment(created: Created, actor: Actor) -> CommentWritten:
    """Return a comment as its author, who just made it, sees it."""
    state = get_state_for(actor, created.comment)
    row = {**_AT_FIRST, **asdict(created.comment), "depth": created.depth, "state": state}
    return _to_written_comment(row, created.text, actor)


def to_updated_comment(updated: Updated, actor: Actor) -> CommentWritten:
    """Return a comment as its author, who just changed it, sees it."""
    comment = updated.comment
    state = get_state_for(actor, comment)
    row = {**comment.model_dump(), "score": comment.up - comment.down, "state": state}
    return _to_written_comment(row, updated.text, actor)


def to_person_comment(row: RowMapping) -> PersonComment:
    """Return a comment in a list of many articles."""
    article = {
        "id": row["article_id"],
        "slug": row["article_slug"],
        "title": row["article_title"],
    }
    return PersonComment.model_validate({**to_comment_fields(row), "article": article})


def _to_written_comment(row: Mapping[str, Any], text: ResolvedText, actor: Actor) -> CommentWritten:
    of_author = {
        "author": actor.id,
        "handle": actor.handle,
        "display_name": actor.display_name,
        "avatar_url": actor.avatar_url,
        "mentions": [_to_mention(mention) for mention in text.mentions],
    }
    unresolved = [to_unresolved_mention(one) for one in text.unresolved]
    shown = to_comment_fields({**row, **of_author})
    return CommentWritten.model_validate({**shown, "unresolved_mentions": unresolved})


def _to_mention(mention: Mention) -> dict[str, Any]:
    return {
        "user_id": mention.person.user_id,
        "handle": mention.person.handle,
        "display_name": mention.person.display_name,
        "start": mention.start,
        "end": mention.end,
        "text": mention.text,
    }
