"""Many versions as one change: which comments are to be looked at, each of them once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from api.articles.changes import PublicEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """What happened up to a version: each comment, with the first version that changed it."""

    until: int
    # In the order of the versions.
    touched: dict[UUID, int]
    # Of these the score changed. Some of them are among the others, too.
    scored: dict[UUID, int]
    # The versions that changed the article itself.
    article: tuple[int, ...]

    def cut(self, until: int) -> "Fold":
        """Return what happened up to an earlier version."""
        return replace(
            self,
            until=until,
            touched={one: version for one, version in self.touched.items() if version <= until},
            scored={one: version for one, version in self.scored.items() if version <= until},
            article=tuple(version for version in self.article if version <= until),
        )


def fold_events(
    events: Sequence[PublicEvent | None], since: int, *, limit: int, max_ids: int
) -> Fold | None:
    """Return what the events after the version `since` changed: the first `limit` comments of it.

    The comments of one version stay together, up to `max_ids`. Return None when the events do not
    tell what changed: one is missing or of a newer release, or stands for more than it names.
    """
    touched: dict[UUID, int] = {}
    scored: dict[UUID, int] = {}
    article = []
    until = None
    for version, event in enumerate(events, since + 1):
        if event is None or event.version != version:
            return None
        change = event.get_public_change()
        if change.reload:
            return None
        if until is not None:
            # The page is full: what follows is only checked for what makes it pointless.
            continue
        before = len(touched.keys() | scored.keys())
        new_touched = dict.fromkeys(event.get_touched_ids(), version)
        new_scored = dict.fromkeys(change.scored, version)
        after = len(touched.keys() | scored.keys() | new_touched.keys() | new_scored.keys())
        if after > limit and before:
            until = version - 1
            continue
        if after > max_ids:
            return None
        # Those from before come first, with the version that they have.
        touched = {**touched, **new_touched, **touched}
        scored = {**scored, **new_scored, **scored}
        if change.article is not None:
            article.append(version)
    return Fold(
        until=since + len(events) if until is None else until,
        touched=touched,
        scored=scored,
        article=tuple(article),
    )
