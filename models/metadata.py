"""What all tables share: one metadata with predictable constraint names, and the column types."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Column, DateTime, Enum, ForeignKey, Text, Uuid
from sqlmodel import SQLModel

metadata = SQLModel.metadata
# Alembic can only drop or alter what has a name that both sides can compute.
metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


def text_column(**options: Any) -> Column[str]:
    """Return a `text` column; its bound is a CHECK, which a migration can loosen cheaply."""
    return Column(Text, **{"nullable": False, **options})


def time_column(**options: Any) -> Column[datetime]:
    """Return a `timestamptz` column."""
    return Column(DateTime(timezone=True), **{"nullable": False, **options})


def id_column(**options: Any) -> Column[UUID]:
    """Return a `uuid` column."""
    return Column(Uuid(), **{"nullable": False, **options})


def reference_column(target: str, **options: Any) -> Column[UUID]:
    """Return a `uuid` column that refers to `target` ("table.column")."""
    return Column(Uuid(), ForeignKey(target), **{"nullable": False, **options})


def enum_column(kind: type[StrEnum], **options: Any) -> Column[Any]:
    """Return a column of an enum's values: text with a CHECK, which a migration can extend."""
    values = Enum(
        kind,
        name=kind.__name__.lower(),
        native_enum=False,
        create_constraint=True,
        values_callable=lambda members: [member.value for member in members],
        length=16,
    )
    return Column(values, **{"nullable": False, **options})
