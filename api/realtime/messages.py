"""What streams tell: of an article each version that the public sees, of an inbox each row."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from api.articles.changes import PublicChange, PublicEvent
from api.kit.db.events import Event
from api.kit.http.event_streams import Message, encode_message
from api.realtime.queries import ArticleState, InboxState
from api.realtime.topics import Update

# A message with more ids than that says `reload`.
MAX_IDS = 500

_LISTS = ("created", "edited", "restored", "removed", "scored")


def make_update(
    article_id: UUID, after: int | None, state: ArticleState, types: Mapping[str, type[Event]]
) -> Update:
    """Return what an article's events after a version tell.

    Where events are missing (they are kept for 30 days), or the version is one that the article
    does not have (it may have been restored from a backup), one message says that the client has to
    read the thread again.
    """
    events = state.events
    position = events[-1][0] if events else state.version
    if after is None or after == state.version:
        return Update(state.version, state.version, (), state.is_public)
    if after > state.version or position - after != len(events):
        message = make_reset(article_id, state.version)
        return Update(state.version, state.version, (message,), state.is_public)
    messages = tuple(
        _make_message(article_id, version, change)
        for version, type_, payload in events
        if (change := _find_change(types.get(type_), payload)) != PublicChange()
    )
    return Update(position, state.version, messages, state.is_public)


def make_reset(article_id: UUID, version: int) -> Message:
    """Return what tells a client to read the thread again, at this version or a newer one."""
    data = {"article_id": article_id, "version": version}
    return encode_message("reset", version, data, resets=True)


def make_inbox_update(after: int | None, state: InboxState, *, limit: int) -> Update:
    """Return what the notifications of an inbox after a number tell: at most `limit` of them."""
    newest = state.last_number
    if after is None or after == newest:
        return Update(newest, newest, ())
    if after > newest:
        return Update(newest, newest, (make_inbox_reset(state.user_id, newest),))
    messages = tuple(encode_message("notification", row["number"], row) for row in state.rows)
    # Of those that are not shown nothing was read, so the last row is the last one only if no more
    # could come.
    position = newest if len(state.rows) < limit else messages[-1].position
    return Update(position, newest, messages)


def make_inbox_reset(_: UUID, number: int) -> Message:
    """Return what tells a client to read the inbox again, up to this number or a newer one."""
    return encode_message("reset", number, {"number": number}, resets=True)


def _find_change(kind: type[Event] | None, payload: dict[str, Any]) -> PublicChange:
    if kind is None:
        # Of a newer release, while servers are replaced: what it means is not known here.
        return PublicChange(reload=True)
    event = kind.from_payload(payload)
    return event.get_public_change() if isinstance(event, PublicEvent) else PublicChange()


def _make_message(article_id: UUID, version: int, change: PublicChange) -> Message:
    lists = {name: getattr(change, name) for name in _LISTS}
    is_long = sum(map(len, lists.values())) > MAX_IDS
    data = {
        "article_id": article_id,
        "version": version,
        **(dict.fromkeys(_LISTS, ()) if is_long else lists),
        "article": change.article,
        "reload": change.reload or is_long,
    }
    return encode_message("change", version, data)
