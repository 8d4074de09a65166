"""Who may do what with an article: pure rules, without I/O."""

from api.articles.errors import NotYourArticle
from api.auth.actor import Actor
from api.auth.policy import may_moderate, may_use
from api.auth.scopes import Scope
from models import Article, ArticleState


def may_edit(actor: Actor, article: Article) -> bool:
    """Return whether the actor wrote the article or may moderate articles."""
    return may_use(actor, Scope.ARTICLES_WRITE) and (
        article.author_id == actor.id or may_moderate(actor, Scope.ARTICLES_MODERATE)
    )


def require_may_edit(actor: Actor, article: Article) -> None:
    """Raise NotYourArticle unless the actor wrote it or may moderate articles."""
    if not may_edit(actor, article):
        raise NotYourArticle


def get_state_after_delete(actor: Actor, article: Article) -> ArticleState:
    """Return what an article becomes when the actor deletes it: removed, if it is another's.

    Raises NotYourArticle.
    """
    require_may_edit(actor, article)
    return ArticleState.DELETED if article.author_id == actor.id else ArticleState.REMOVED
