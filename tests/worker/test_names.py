"""A person who is called otherwise is called so in every thread that shows them."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from api.comments import reactions
from api.kit.services import Services
from tests.client import Client, Person, expect
from tests.working import work_off


async def rename(person: Person, **changes: str) -> None:
    seen = await person.client.get("/v1/me")
    headers = {"If-Match": seen.headers["etag"]}
    expect(await person.client.patch("/v1/me", changes, headers=headers), 200)


async def read_versions(services: Services, article: dict[str, Any]) -> list[int]:
    statement = text(
        "SELECT version FROM events WHERE article_id = :id AND version IS NOT NULL ORDER BY id"
    )
    async with services.database.read_session() as session:
        return list(await session.scalars(statement, {"id": article["id"]}))


async def test_a_new_name_is_shown_wherever_the_person_wrote_or_is_mentioned(
    client: Client, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reactions, "BATCH", 1)  # so that each thread is a batch of its own
    lee, max_ = await client.join("lee"), await client.join("max")
    wrote, mentioned, absent = [await max_.post_article(title) for title in "ABC"]
    await lee.reply(wrote["id"], "I wrote here.")
    await max_.reply(mentioned["id"], "Hello @lee.")
    await max_.reply(absent["id"], "Nobody else is here.")
    before = {one["id"]: await client.tree(one["id"]) for one in (wrote, mentioned, absent)}
    await work_off(services)

    await rename(lee, handle="leonora", display_name="Leonora S.")
    await work_off(services)
    trees = {one["id"]: await client.tree(one["id"]) for one in (wrote, mentioned, absent)}
    author = trees[wrote["id"]]["data"][0]["author"]
    assert (author["handle"], author["display_name"]) == ("leonora", "Leonora S.")
    [mention] = trees[mentioned["id"]]["data"][0]["mentions"]
    assert (mention["handle"], mention["display_name"]) == ("leonora", "Leonora S.")
    assert mention["text"] == "@lee"  # as it was written
    assert trees[wrote["id"]]["version"] == before[wrote["id"]]["version"] + 1
    assert trees[mentioned["id"]]["version"] == before[mentioned["id"]]["version"] + 1
    assert trees[absent["id"]] == before[absent["id"]]
    for article in (wrote, mentioned, absent):
        now = trees[article["id"]]["version"]
        versions = await read_versions(services, article)
        assert versions == list(range(article["version"], now + 1))


async def test_a_thread_that_changes_meanwhile_has_no_gap(
    client: Client, services: Services
) -> None:
    lee = await client.join("lee")
    article = await lee.post_article()
    await lee.reply(article["id"])
    await rename(lee, display_name="Leonora")
    await asyncio.gather(
        work_off(services),
        work_off(services),
        *(lee.reply(article["id"]) for _ in range(5)),
    )
    await work_off(services)
    versions = await read_versions(services, article)
    assert versions == list(range(versions[0], versions[0] + len(versions)))
    assert (await client.tree(article["id"]))["version"] == versions[-1]


async def test_a_thread_that_is_gone_is_passed_over(client: Client, services: Services) -> None:
    lee = await client.join("lee")
    article = await lee.post_article()
    await lee.reply(article["id"])
    await rename(lee, display_name="Leonora")
    tag = (await lee.client.get(f"/v1/articles/{article['id']}")).headers["etag"]
    path = f"/v1/articles/{article['id']}"
    expect(await lee.client.delete(path, headers={"If-Match": tag}), 204)
    await work_off(services)
    async with services.database.read_session() as session:
        left = await session.scalar(text("SELECT count(*) FROM deliveries"))
    assert left == 0
