"""What an article becomes, and that a removed one comes back with its thread."""

from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import select
from sqlmodel import col

from api.articles import lifecycle
from api.kit.services import Services
from models import Article, ArticleState
from tests.client import Client, Person, expect


async def change_state(services: Services, after: ArticleState) -> None:
    async with services.unit_of_work() as uow:
        article = (await uow.session.scalars(select(Article).with_for_update())).one()
        lifecycle.change_state(uow, article, after)


async def get_state(services: Services) -> ArticleState:
    async with services.database.read_session() as session:
        return (await session.scalars(select(col(Article.state)))).one()


async def test_a_removed_article_is_restored_with_its_thread(
    client: Client, services: Services, make_staff: Callable[[str], Awaitable[Person]]
) -> None:
    person, moderator = await client.join(), await make_staff("moderator")
    path = f"/v1/articles/{(await person.post_article())['id']}"
    comment = await person.reply(path.rpartition("/")[2])
    expect(await moderator.client.delete(path, headers={"If-Match": "*"}), 204)
    assert await get_state(services) is ArticleState.REMOVED
    expect(await client.get(path), 404)
    expect(await client.get(f"{path}/comments"), 404)
    await change_state(services, ArticleState.VISIBLE)
    expect(await client.get(path), 200)
    tree = expect(await client.get(f"{path}/comments"), 200)
    assert [node["id"] for node in tree["data"]] == [comment["id"]]


async def test_what_its_author_deleted_stays_deleted(client: Client, services: Services) -> None:
    person = await client.join()
    path = f"/v1/articles/{(await person.post_article())['id']}"
    expect(await person.client.delete(path, headers={"If-Match": "*"}), 204)
    assert await get_state(services) is ArticleState.DELETED
    with pytest.raises(ValueError, match="cannot get from deleted to visible"):
        await change_state(services, ArticleState.VISIBLE)
