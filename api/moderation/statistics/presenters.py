"""Rows of figures as responses."""

from sqlalchemy import RowMapping

from api.moderation.statistics.schemas import DayRead, RuleFiguresRead


def to_day(row: RowMapping) -> DayRead:
    """Return the figures of one day."""
    figures = {name: value for name, value in row.items() if name != "starts_at"}
    return DayRead(day=row["starts_at"].date(), **figures)


def to_rule(row: RowMapping) -> RuleFiguresRead:
    """Return the figures of one rule, with the share of its decided texts that was upheld."""
    decided = row["approved"] + row["upheld"]
    return RuleFiguresRead(**row, precision=row["upheld"] / decided if decided else None)
