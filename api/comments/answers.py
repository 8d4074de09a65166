"""What a writer gets back: the comment as written, and what became of its mentions."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from api.auth.actor import Actor
from api.comments.mentioning import ResolvedText
from api.comments.mentions import Mention, Person, Suggestion, Unresolved
from api.comments.projection import read_row
from api.comments.schemas import (
    CommentWritten,
    MentionPreviewRead,
    PreviewedMention,
    SuggestedMention,
    UnresolvedMention,
)
from api.comments.service import Created, Updated
from api.users.schemas import PersonRead
from models import CommentState

# People whom one comment tells; further ones are linked all the same.
MAX_TOLD = 10

# Of a comment that nobody has answered, voted on or changed yet.
_AT_FIRST = {
    "state": CommentState.VISIBLE,
    "up": 0,
    "down": 0,
    "score": 0,
    "reply_count": 0,
    "descendant_count": 0,
    "edited_at": None,
}


def read_created(created: Created, actor: Actor) -> CommentWritten:
    """Return a comment as its author, who just made it, sees it."""
    comment = created.comment
    row = {
        "id": comment.id,
        "article_id": comment.article_id,
        "parent_id": comment.parent_id,
        "depth": created.depth,
        "body": comment.body,
        "html": comment.html,
        "version": comment.version,
        "created_at": comment.created_at,
        **_AT_FIRST,
    }
    return _read_written(row, created.text, actor)


def read_updated(updated: Updated, actor: Actor) -> CommentWritten:
    """Return a comment as its author, who just changed it, sees it."""
    comment = updated.comment
    row = {**comment.model_dump(), "score": comment.up - comment.down}
    return _read_written(row, updated.text, actor)


def _read_written(row: Mapping[str, Any], text: ResolvedText, actor: Actor) -> CommentWritten:
    of_author = {
        "author": actor.id,
        "handle": actor.handle,
        "display_name": actor.display_name,
        "avatar_url": actor.avatar_url,
        "mentions": [_read_mention(mention) for mention in text.mentions],
    }
    unresolved = [read_unresolved(one) for one in text.unresolved]
    shown = read_row({**row, **of_author})
    return CommentWritten.model_validate({**shown, "unresolved_mentions": unresolved})


def read_unresolved(one: Unresolved) -> UnresolvedMention:
    """Return a mention that tells nobody, as its author sees it."""
    return UnresolvedMention(
        start=one.start,
        end=one.end,
        text=one.text,
        reason=one.reason,
        candidates=[read_person(person) for person in one.candidates],
    )


def read_preview(
    actor: Actor,
    source: str,
    mentions: list[Mention],
    unresolved: list[Unresolved],
    suggestions: tuple[Suggestion, ...],
) -> MentionPreviewRead:
    """Return who would be told by a text, who not, and why."""
    told: set[UUID] = set()
    previewed = []
    for mention in mentions:
        person_id = mention.person.user_id
        reason = None
        if person_id == actor.id:
            reason = "yourself"
        elif person_id in told:
            reason = "already_mentioned"
        elif len(told) == MAX_TOLD:
            reason = "too_many"
        else:
            told.add(person_id)
        previewed.append(
            PreviewedMention.model_validate(
                {
                    "start": mention.start,
                    "end": mention.end,
                    "text": mention.text,
                    "person": read_person(mention.person),
                    "told": reason is None,
                    "reason": reason,
                }
            )
        )
    return MentionPreviewRead(
        mentions=previewed,
        unresolved=[read_unresolved(one) for one in unresolved],
        suggestions=[
            SuggestedMention(
                start=one.start,
                end=one.end,
                text=source[one.start : one.end],
                person=read_person(one.person),
            )
            for one in suggestions
        ],
    )


def read_person(person: Person) -> PersonRead:
    """Return somebody who was looked up by name."""
    return PersonRead(
        id=person.user_id,
        handle=person.handle,
        display_name=person.display_name,
        avatar_url=person.avatar_url,
    )


def _read_mention(mention: Mention) -> dict[str, Any]:
    return {
        "user_id": mention.person.user_id,
        "handle": mention.person.handle,
        "display_name": mention.person.display_name,
        "start": mention.start,
        "end": mention.end,
        "text": mention.text,
    }
