"""Who sees a comment in which state: the public, its author, somebody else, a moderator."""

from uuid import UUID

import pytest
from sqlalchemy import ColumnElement, select
from sqlmodel import col

from api.comments import visibility
from api.kit.services import Services
from models import Comment, CommentState
from tests.client import Client, expect
from tests.lifecycle import add_comment, change_states

LISTED = {"visible", "placeholder"}
HELD_BACK = {"pending", "hidden", "removed"}


@pytest.fixture
async def states(client: Client, services: Services) -> dict[str, str]:
    """Comments of one author in every state, and a removed one with a reply, by their ids."""
    author = await client.join("writer")
    article = (await author.post_article())["id"]
    states = {}
    for state in CommentState:
        before = state if state is CommentState.PENDING else CommentState.VISIBLE
        comment = await add_comment(services, author, article, None, before)
        if state is not before:
            await change_states(services, article, [comment], state)
        states[state.value] = comment
    states["placeholder"] = await add_comment(services, author, article, None)
    await add_comment(services, author, article, states["placeholder"])
    await change_states(services, article, [states["placeholder"]], CommentState.REMOVED)
    return states


async def find_seen(
    services: Services, states: dict[str, str], predicate: ColumnElement[bool]
) -> set[str]:
    statement = select(col(Comment.id)).where(predicate)
    async with services.database.read_session() as session:
        found = {str(one) for one in await session.scalars(statement)}
    return {name for name, comment in states.items() if comment in found}


async def test_each_audience_sees_what_it_may(
    client: Client, services: Services, states: dict[str, str]
) -> None:
    author = UUID(expect(await client.get("/v1/users/writer"), 200)["id"])
    other = UUID(int=7)
    for predicate, expected in (
        (visibility.is_listed(), LISTED),
        (visibility.shows_text(), {"visible"}),
        (visibility.is_listed_for(author), LISTED | {"pending"}),
        (visibility.shows_text_to(author), {"visible", "pending"}),
        (visibility.is_listed_for(other), LISTED),
        (visibility.shows_text_to(other), {"visible"}),
        (visibility.is_listed_for_staff(), LISTED | HELD_BACK),
        (visibility.shows_text_to_staff(), LISTED | HELD_BACK),
    ):
        assert await find_seen(services, states, predicate) == expected, str(predicate)


async def test_text_that_is_not_visible_is_on_no_public_page(
    client: Client, states: dict[str, str]
) -> None:
    """Each body says which state it is of; readers find the visible ones, by every way."""
    [article] = expect(await client.get("/v1/articles"), 200)["data"]
    path = f"/v1/articles/{article['id']}/comments"
    pages = [expect(await client.get(path), 200), expect(await client.get(f"{path}/flat"), 200)]
    pages.append(expect(await client.get("/v1/users/writer/comments"), 200))
    seen = {node["id"] for page in pages for node in page["data"]}
    assert seen - set(states.values()) != set()  # the reply under the placeholder
    for name, comment in states.items():
        read = await client.get(f"/v1/comments/{comment}")
        context = await client.get(f"/v1/comments/{comment}/context")
        replies = await client.get(f"/v1/comments/{comment}/replies")
        statuses = {read.status_code, context.status_code, replies.status_code}
        assert statuses == ({200} if name in LISTED else {404}), name
        if name == "placeholder":
            assert read.json()["body"] is read.json()["html"] is read.json()["author"] is None
        assert (comment in seen) == (name in LISTED), name
    for node in pages[1]["data"] + pages[2]["data"]:
        assert node["state"] == "visible"
