"""The fields of a comment: the schema, the table and the one list of columns name the same."""

from api.comments.projection import FIELDS
from api.comments.schemas import CommentContext, CommentRead, CommentTree
from models import Comment
from tests.client import Client, expect


def test_the_list_of_columns_is_what_the_schema_and_the_table_have() -> None:
    made = {"author", "mentions"}
    assert set(FIELDS) == CommentRead.model_fields.keys() - made
    assert set(FIELDS) <= set(Comment.__table__.columns.keys())  # type: ignore[attr-defined]


async def test_trees_have_the_fields_of_their_schemas_and_no_others(client: Client) -> None:
    """They are written without the schemas, so a field of a node could be missing there."""
    person = await client.join()
    article = (await person.post_article())["id"]
    root = (await person.reply(article, f"I am @{person.handle}."))["id"]
    reply = (await person.reply(article, parent=root))["id"]
    for path, schema in (
        (f"/v1/articles/{article}/comments", CommentTree),
        (f"/v1/comments/{root}/replies", CommentTree),
        (f"/v1/comments/{reply}/context", CommentContext),
    ):
        body = expect(await client.get(path), 200)
        assert schema.model_validate(body).model_dump(mode="json") == body
