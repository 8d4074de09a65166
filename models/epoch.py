"""The epoch of the database: one row, which says which database this is."""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import CheckConstraint, Column, SmallInteger
from sqlmodel import Field, SQLModel

from models.metadata import text_column, time_column


class DatabaseEpoch(SQLModel, table=True):
    """A random text that is part of every cache key and entity tag.

    Made with the database and changed after a restore from a backup, because versions and
    revisions have gone back then and count up again with other contents.
    """

    __tablename__: ClassVar[str] = "database_epoch"
    __table_args__ = (
        CheckConstraint("id = 1", name="one_row"),
        CheckConstraint("epoch ~ '^[0-9a-f]{16}$'", name="epoch_format"),
    )

    id: int = Field(default=1, sa_column=Column(SmallInteger, primary_key=True))
    epoch: str = Field(sa_column=text_column())
    # From then on no process uses the epoch before this one any more.
    settled_at: datetime = Field(sa_column=time_column())
