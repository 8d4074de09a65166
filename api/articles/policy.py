"""Who may do what with an article. Pure: rows in, verdict out."""

from api.articles.errors import NotYourArticle
from api.auth.actor import Actor
from models import Article


def may_edit(actor: Actor, article: Article) -> bool:
    """Tell whether the actor wrote the article or is staff."""
    return article.author_id == actor.id or actor.is_staff


def require_may_edit(actor: Actor, article: Article) -> None:
    """Raise NotYourArticle unless the actor wrote it or is staff."""
    if not may_edit(actor, article):
        raise NotYourArticle
