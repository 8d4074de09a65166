"""THE table: what follows from each event."""

from api.articles import reactions as articles
from api.articles.events import (
    ArticleCreated,
    ArticleDeleted,
    ArticleEdited,
    ArticleRemoved,
    ArticleRestored,
)
from api.comments import reactions as comments
from api.comments.events import (
    CommentCreated,
    CommentDeleted,
    CommentEdited,
    CommentHeld,
    CommentsHidden,
    CommentsRemoved,
    CommentsShown,
    NamesRefreshed,
    ThreadImported,
)
from api.kit.db.events import ThreadEvent
from api.kit.effects import Effect, EffectTable
from api.users.events import ProfileChanged, UserRegistered
from api.votes.events import ScoresChanged


def _readers_see_it(event: type[ThreadEvent]) -> Effect[ThreadEvent]:
    return Effect(
        event=event,
        after_commit=(articles.publish_article_version,),
        by_worker=(articles.publish_article_version,),
    )


EFFECTS = EffectTable(
    (
        Effect(event=UserRegistered),
        # A name stands in every tree in which its bearer wrote or is mentioned.
        Effect(event=ProfileChanged, by_worker=(comments.refresh_names,)),
        _readers_see_it(ArticleCreated),
        _readers_see_it(ArticleEdited),
        _readers_see_it(ArticleDeleted),
        _readers_see_it(ArticleRemoved),
        _readers_see_it(ArticleRestored),
        _readers_see_it(CommentCreated),
        _readers_see_it(CommentEdited),
        _readers_see_it(CommentHeld),
        _readers_see_it(CommentsShown),
        _readers_see_it(CommentsHidden),
        _readers_see_it(CommentsRemoved),
        _readers_see_it(CommentDeleted),
        _readers_see_it(ThreadImported),
        _readers_see_it(NamesRefreshed),
        _readers_see_it(ScoresChanged),
    )
)
