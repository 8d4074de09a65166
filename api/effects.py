"""THE table: what follows from each event."""

from api.articles import reactions as articles
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

_readers_see_it = Effect(
    after_commit=(articles.advance_article,),
    by_worker=(articles.advance_article,),
)

EFFECTS: Effects = {
    UserRegistered: Effect(),
    # A name stands in every tree in which its bearer wrote or is mentioned.
    ProfileChanged: Effect(by_worker=(comments.refresh_names,)),
    ArticleCreated: _readers_see_it,
    ArticleEdited: _readers_see_it,
    ArticleDeleted: _readers_see_it,
    CommentCreated: _readers_see_it,
    CommentEdited: _readers_see_it,
    CommentDeleted: _readers_see_it,
    ThreadImported: _readers_see_it,
    NamesRefreshed: _readers_see_it,
    ScoresChanged: _readers_see_it,
}

EVENT_TYPES: dict[str, type[Event]] = {event.type: event for event in EFFECTS}
