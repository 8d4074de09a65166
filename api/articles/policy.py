"""Who may do what with an article. Pure: rows in, verdict out."""

from api.articles.errors import NotYourArticle
from api.auth.actor import Actor
from api.auth.policy import may_moderate, may_use
from api.auth.scopes import Scope
from models import Article


def may_edit(actor: Actor, article: Article) -> bool:
    """Tell whether the actor wrote the article or may moderate articles."""
    return may_use(actor, Scope.ARTICLES_WRITE) and (
        article.author_id == actor.id or may_moderate(actor, Scope.ARTICLES_MODERATE)
    )


def require_may_edit(actor: Actor, article: Article) -> None:
    """Raise NotYourArticle unless the actor wrote it or may moderate articles."""
    if not may_edit(actor, article):
        raise NotYourArticle
