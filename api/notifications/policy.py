"""What applies to notifications where a person has not chosen otherwise."""

from dataclasses import dataclass

from models import MailFrequency, NotificationKind

# Things that are not about the person: they are in the inbox, and nowhere else by default.
_QUIET = frozenset({NotificationKind.FOLLOWED, NotificationKind.NEW_ARTICLE})


@dataclass(frozen=True, slots=True)
class Channel:
    """Where a kind of notification goes besides the inbox."""

    mail: MailFrequency
    push: bool


def default_channel(kind: NotificationKind) -> Channel:
    """Return where a kind of notification goes for a person who has not chosen."""
    if kind in _QUIET:
        return Channel(mail=MailFrequency.NEVER, push=False)
    return Channel(mail=MailFrequency.IMMEDIATELY, push=True)
