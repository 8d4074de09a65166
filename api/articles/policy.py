"""Who may do what with an article. Pure: rows in, verdict out."""

from api.articles.errors import NotYourArticle
from api.auth.actor import Actor
from models import Article


def require_may_edit(actor: Actor, article: Article) -> None:
    """Raise NotYourArticle unless the actor wrote it or is staff."""
    if article.author_id != actor.id and not actor.is_staff:
        raise NotYourArticle
