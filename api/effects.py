"""THE table: what follows from each event."""

from api.articles.events import ArticleCreated, ArticleDeleted, ArticleEdited
from api.comments import reactions as comments
from api.comments.events import (
    CommentCreated,
    CommentDeleted,
    CommentEdited,
    NamesRefreshed,
    ThreadImported,
)
from api.kit.events import Effect, Effects, Event
from api.users.events import ProfileChanged, UserRegistered
from api.votes.events import ScoresChanged

_thread_changed = Effect(
    after_commit=(comments.advance_tree_cache,),
    by_worker=(comments.advance_tree_cache,),
)

EFFECTS: Effects = {
    UserRegistered: Effect(),
    # A name stands in every tree in which its bearer wrote or is mentioned.
    ProfileChanged: Effect(by_worker=(comments.refresh_names,)),
    ArticleCreated: Effect(),
    ArticleEdited: _thread_changed,
    ArticleDeleted: _thread_changed,
    CommentCreated: _thread_changed,
    CommentEdited: _thread_changed,
    CommentDeleted: _thread_changed,
    ThreadImported: _thread_changed,
    NamesRefreshed: _thread_changed,
    ScoresChanged: _thread_changed,
}

EVENT_TYPES: dict[str, type[Event]] = {event.type: event for event in EFFECTS}
