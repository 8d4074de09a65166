"""Mentions as a response: who would be notified by a text, who not, and why."""

from api.auth.actor import Actor
from api.comments.mentions.parsing import Mention, Person, Suggestion, Unresolved
from api.comments.mentions.recipients import choose_recipients
from api.comments.schemas import (
    MentionPreviewRead,
    PreviewedMention,
    SuggestedMention,
    UnresolvedMention,
)
from api.users.schemas import PersonRead


def to_unresolved_mention(one: Unresolved) -> UnresolvedMention:
    """Return a mention that notifies nobody, as its author sees it."""
    return UnresolvedMention(
        start=one.start,
        end=one.end,
        text=one.text,
        reason=one.reason,
        candidates=[to_person(person) for person in one.candidates],
    )


def to_mention_preview(
    actor: Actor,
    source: str,
    mentions: list[Mention],
    unresolved: list[Unresolved],
    suggestions: tuple[Suggestion, ...],
) -> MentionPreviewRead:
    """Return who would be notified by a text, who not, and why."""
    previewed = [
        PreviewedMention.model_validate(
            {
                "start": mention.start,
                "end": mention.end,
                "text": mention.text,
                "person": to_person(mention.person),
                "told": reason is None,
                "reason": reason,
            }
        )
        for mention, reason in choose_recipients(actor.id, mentions)
    ]
    return MentionPreviewRead(
        mentions=previewed,
        unresolved=[to_unresolved_mention(one) for one in unresolved],
        suggestions=[
            SuggestedMention(
                start=one.start,
                end=one.end,
                text=source[one.start : one.end],
                person=to_person(one.person),
            )
            for one in suggestions
        ],
    )


def to_person(person: Person) -> PersonRead:
    """Return a person who was looked up by name."""
    return PersonRead(
        id=person.user_id,
        handle=person.handle,
        display_name=person.display_name,
        avatar_url=person.avatar_url,
    )
