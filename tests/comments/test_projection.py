"""The fields of a comment: the schema, the table and the one list of columns name the same."""

from api.comments.projection import FIELDS
from api.comments.schemas import CommentRead
from models import Comment


def test_the_list_of_columns_is_what_the_schema_and_the_table_have() -> None:
    made = {"author", "mentions"}
    assert set(FIELDS) == CommentRead.model_fields.keys() - made
    assert set(FIELDS) <= set(Comment.__table__.columns.keys())  # type: ignore[attr-defined]
