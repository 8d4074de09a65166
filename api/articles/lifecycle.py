"""The states of an article, and the one function that changes them.

    visible -> removed | deleted
    removed -> visible
    deleted (final)

Nothing else writes `state` and `deleted_at`. The comments of an article keep their own states: its
thread is gone and comes back with it.
"""

from collections.abc import Mapping

from api.articles.events import ArticleDeleted, ArticleRemoved, ArticleRestored
from api.kit.db.unit_of_work import UnitOfWork
from models import Article, ArticleState

TRANSITIONS: Mapping[ArticleState, frozenset[ArticleState]] = {
    ArticleState.VISIBLE: frozenset({ArticleState.REMOVED, ArticleState.DELETED}),
    ArticleState.REMOVED: frozenset({ArticleState.VISIBLE}),
    ArticleState.DELETED: frozenset(),
}
_EVENTS = {
    ArticleState.VISIBLE: ArticleRestored,
    ArticleState.REMOVED: ArticleRemoved,
    ArticleState.DELETED: ArticleDeleted,
}


def change_state(uow: UnitOfWork, article: Article, after: ArticleState) -> None:
    """Give an article, whose row the caller has locked, another state and its next version.

    Raises ValueError for a transition that the table does not have: whoever may ask for one sees
    the article, and so knows its state.
    """
    if after not in TRANSITIONS[article.state]:
        raise ValueError(f"an article cannot get from {article.state} to {after}")
    article.state = after
    article.deleted_at = None if after is ArticleState.VISIBLE else uow.now
    article.version += 1
    uow.emit(_EVENTS[after](article_id=article.id, version=article.version))
