"""Who can see an article: the only place, beside the lifecycle, that looks at `deleted_at`.

Each predicate takes the table or an alias of it.
"""

from sqlalchemy import ColumnElement
from sqlalchemy.orm import aliased
from sqlmodel import col

from api.kit.db.predicates import to_sql
from models import Article


def is_public(article: type[Article] = Article) -> ColumnElement[bool]:
    """Return the predicate of every surface that shows articles."""
    return col(article.deleted_at).is_(None)


# The same of a row `a`, for statements that are written as text.
PUBLIC_A = to_sql(is_public(aliased(Article, name="a")))
