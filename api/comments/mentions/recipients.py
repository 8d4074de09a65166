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
    listed = list(mentions)
    reasons = _find_reasons(author_id, (mention.person.user_id for mention in listed))
    return list(zip(listed, reasons, strict=True))


def find_recipient_ids(author_id: UUID, mentions: Iterable[Mention]) -> tuple[UUID, ...]:
    """Return the ids of the people who are notified, in order."""
    return choose_ids(author_id, (mention.person.user_id for mention in mentions))


def choose_ids(author_id: UUID | None, mentioned_ids: Iterable[UUID]) -> tuple[UUID, ...]:
    """Return which of the people that a text mentions, in this order, are notified."""
    listed = list(mentioned_ids)
    reasons = _find_reasons(author_id, listed)
    return tuple(one for one, reason in zip(listed, reasons, strict=True) if reason is None)


def _find_reasons(author_id: UUID | None, mentioned_ids: Iterable[UUID]) -> list[WhyNot | None]:
    notified: set[UUID] = set()
    reasons: list[WhyNot | None] = []
    for person_id in mentioned_ids:
        reason: WhyNot | None = None
        if person_id == author_id:
            reason = "yourself"
        elif person_id in notified:
            reason = "already_mentioned"
        elif len(notified) == MAX_RECIPIENTS:
            reason = "too_many"
        else:
            notified.add(person_id)
        reasons.append(reason)
    return reasons
