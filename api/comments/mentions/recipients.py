"""Who is notified by the mentions of a text: one pure rule, for the preview and the events."""

from collections.abc import Iterable
from typing import Literal
from uuid import UUID

from api.comments.mentions.parsing import Mention

# People that one comment notifies; further ones are linked all the same.
MAX_RECIPIENTS = 10

WhyNot = Literal["yourself", "already_mentioned", "too_many"]


def choose_recipients(
    author_id: UUID, mentions: Iterable[Mention]
) -> list[tuple[Mention, WhyNot | None]]:
    """Return each mention, in order, with why it notifies nobody; None where it notifies.

    The author is not notified, nobody twice, and at most MAX_RECIPIENTS people.
    """
    notified: set[UUID] = set()
    chosen: list[tuple[Mention, WhyNot | None]] = []
    for mention in mentions:
        person_id = mention.person.user_id
        reason: WhyNot | None = None
        if person_id == author_id:
            reason = "yourself"
        elif person_id in notified:
            reason = "already_mentioned"
        elif len(notified) == MAX_RECIPIENTS:
            reason = "too_many"
        else:
            notified.add(person_id)
        chosen.append((mention, reason))
    return chosen


def find_recipient_ids(author_id: UUID, mentions: Iterable[Mention]) -> tuple[UUID, ...]:
    """Return the ids of the people who are notified, in order."""
    return tuple(
        mention.person.user_id
        for mention, reason in choose_recipients(author_id, mentions)
        if reason is None
    )
