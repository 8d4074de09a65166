"""Predicates as text, for statements that are written as text."""

from sqlalchemy import ColumnElement
from sqlalchemy.dialects import postgresql

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


def to_sql(predicate: ColumnElement[bool]) -> str:
    """Return a predicate without parameters as SQL, so that no text repeats what Core says.

    It is for predicates of the source only: values are written into the text.
    """
    return str(predicate.compile(dialect=_DIALECT, compile_kwargs={"literal_binds": True}))
