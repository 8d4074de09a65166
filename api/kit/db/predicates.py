"""Expressions of SQLAlchemy as text, for statements that are written as text."""

from typing import Any

from sqlalchemy import SQLColumnExpression, select
from sqlalchemy.dialects import postgresql

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


def to_sql(expression: SQLColumnExpression[Any]) -> str:
    """Return an expression without parameters as SQL, so that no text repeats what Core says.

    It is for predicates of the source only: values are written into the text.
    """
    return str(
        select(expression)
        .selected_columns[0]
        .compile(dialect=_DIALECT, compile_kwargs={"literal_binds": True})
    )
