"""Build the response of delta sync: which comments changed, from events; what they are, from rows.

An article's versions have no gaps and each has one event. So the events after a version name every
comment whose node may differ from the one that a client has. What is sent is what those comments
are now, in the snapshot in which the events were read: applied twice, or on top of newer changes
that are applied again afterwards, it leads to the same tree.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from api.articles.errors import ArticleNotFound
from api.comments.tree.assembly import to_json
from api.comments.tree.changed import find_changed, find_counts, to_tagged_fields
from api.kit.cache.pages import RenderedPage
from api.kit.db.events import Event
from api.kit.http.conditional import make_revision_etags
from api.kit.services import Services
from api.realtime.changes import queries
from api.realtime.changes.folding import Fold, fold_events

# Versions that one response looks at, and comments that one version may change.
MAX_VERSIONS = 500
MAX_IDS = 1000
# A client that is further behind reads the tree again: that takes fewer requests.
MAX_BEHIND = 5000


@dataclass(frozen=True, slots=True)
class _Changes:
    """What happened, and what became of the comments that are concerned."""

    fold: Fold
    # Listed ones, parents before their replies.
    shown: list[RowMapping]
    removed: list[UUID]
    counts: list[dict[str, Any]]


async def build_changes(
    services: Services, article_id: UUID, since: int | None, *, limit: int
) -> RenderedPage:
    """Return the page as JSON of ArticleChanges; without `since` it says `reset`.

    Raises ArticleNotFound.
    """
    epoch = (await services.epoch.get()).value
    make_etag = make_revision_etags(epoch, "comment")
    changes = None
    async with services.database.read_snapshot() as connection:
        article = await queries.find_article(connection, article_id)
        if article is None:
            raise ArticleNotFound
        version = article["version"]
        if since is not None:
            changes = await _find_changes(
                connection,
                article_id,
                since,
                version,
                types=services.reactions.event_types,
                limit=limit,
            )
    until = changes and changes.fold.until
    content = {
        "article_id": article_id,
        "epoch": epoch,
        "version": version,
        "reset": changes is None,
        "next_since": until,
        "has_more": until is not None and until < version,
        "article": _to_article(article, changes),
        "comments": [to_tagged_fields(row, make_etag) for row in changes.shown] if changes else [],
        "removed": changes.removed if changes else [],
        "counts": changes.counts if changes else [],
    }
    return RenderedPage(version, to_json(content))


def _to_article(article: RowMapping, changes: _Changes | None) -> dict[str, Any]:
    fields = {name: article[name] for name in queries.ARTICLE_FIELDS}
    return {**fields, "is_changed": changes is None or bool(changes.fold.article)}


async def _find_changes(
    connection: AsyncConnection,
    article_id: UUID,
    since: int,
    version: int,
    *,
    types: Mapping[str, type[Event]],
    limit: int,
) -> _Changes | None:
    """Return what happened after `since`, as far as it fits; None when that cannot be told."""
    if not 0 <= version - since <= MAX_BEHIND:
        return None
    expected = min(version - since, MAX_VERSIONS)
    events = await queries.list_events(connection, article_id, since, types=types, limit=expected)
    if len(events) < expected:
        return None
    fold = fold_events(events, since, limit=limit, max_ids=MAX_IDS)
    if fold is None:
        return None
    found = await find_changed(connection, article_id, list(fold.touched))
    if found.cut_at is not None:
        fold = fold.cut(fold.touched[found.cut_at] - 1)
        if fold.until == since:
            return None
    rows = [row for row in found.rows if row["id"] in fold.touched]
    shown = [row for row in rows if row["is_listed"]]
    shown.sort(key=lambda row: (row["depth"], row["created_at"], row["id"]))
    ids = set(fold.scored).union(*(row["ancestor_ids"] for row in rows))
    return _Changes(
        fold=fold,
        shown=shown,
        removed=[row["id"] for row in rows if not row["is_listed"]],
        counts=await find_counts(connection, article_id, ids - {row["id"] for row in shown}),
    )
