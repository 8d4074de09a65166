"""Articles and comments as entries of feeds."""

from uuid import UUID

from sqlalchemy import RowMapping

from api.articles.queries import ArticleRow
from api.kit.links import make_link
from api.kit.settings import Settings
from api.kit.text.atom import Author, Entry

# Atom asks for the name of an author.
_NOBODY = Author("Unknown")


def make_urn(uuid: UUID) -> str:
    """Return the URI of what has an id."""
    return f"urn:uuid:{uuid}"


def to_article_entry(settings: Settings, row: ArticleRow) -> Entry:
    """Return an article as an entry, which leads to its own site where it has one."""
    article, author = row.article, row.author
    return Entry(
        id=make_urn(article.id),
        title=article.title,
        link=article.url or make_link(settings, f"/v1/articles/{article.slug}"),
        author=_to_author(settings, author.handle, author.display_name) if author else _NOBODY,
        published=article.created_at,
        updated=article.edited_at or article.created_at,
        html=article.html,
    )


def to_comment_entry(settings: Settings, row: RowMapping) -> Entry:
    """Return a comment that everybody can read as an entry."""
    is_known = row["author"] is not None
    return Entry(
        id=make_urn(row["id"]),
        title=f"On {row['article_title']}",
        link=make_link(settings, f"/v1/comments/{row['id']}"),
        author=_to_author(settings, row["handle"], row["display_name"]) if is_known else _NOBODY,
        published=row["created_at"],
        updated=row["edited_at"] or row["created_at"],
        html=row["html"],
    )


def _to_author(settings: Settings, handle: str, display_name: str) -> Author:
    return Author(display_name, make_link(settings, f"/v1/users/{handle}"))
