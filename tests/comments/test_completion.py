"""Completion while one types an "@"."""

import httpx
from sqlalchemy import text

from api.kit.services import Services
from tests.client import Client, expect, expect_problem


async def complete(client: Client, prefix: str, article: str | None = None) -> list[str]:
    params = {"prefix": prefix} | ({"article": article} if article else {})
    found = expect(await client.get("/v1/users", params=params), 200)
    assert found.keys() == {"data"}
    for person in found["data"]:
        assert person.keys() == {"id", "handle", "display_name", "avatar_url"}
    return [person["handle"] for person in found["data"]]


async def test_handles_and_names_complete_in_any_case(client: Client) -> None:
    await client.join("max")
    await client.join("markedup", display_name="Lee Stevenson")
    await client.join("zoe", display_name="Max Müller")
    assert await complete(client, "ma") == ["markedup", "max", "zoe"]
    assert await complete(client, "MAX") == ["max", "zoe"]
    assert await complete(client, "max m") == ["zoe"]
    assert await complete(client, "MAX  MU\u0308L") == ["zoe"]
    assert await complete(client, "lee stev") == ["markedup"]
    # The beginning of a word within the name is none of the name.
    assert await complete(client, "stev") == []
    for prefix in ("%", "_", "m_x", "\\", "max%", "\U0010ffff"):
        assert await complete(client, prefix) == []


async def test_the_people_of_the_thread_come_first(client: Client) -> None:
    author, writer = await client.join("person-y"), await client.join("person-z")
    reader, gone = await client.join("person-a"), await client.join("person-b")
    article = await author.post_article()
    await writer.reply(article["id"])
    expect(await gone.take_back((await gone.reply(article["id"]))["id"]), 204)
    elsewhere = await reader.post_article()
    in_thread = ["person-y", "person-z", "person-a", "person-b"]
    assert await complete(client, "person", article["id"]) == in_thread
    assert await complete(client, "person-z", article["id"]) == ["person-z"]
    by_handle = ["person-a", "person-b", "person-y", "person-z"]
    assert await complete(client, "person", elsewhere["id"]) == by_handle
    assert await complete(client, "person") == by_handle


async def test_twenty_people_are_enough(client: Client, services: Services) -> None:
    author = await client.join("zz-top", display_name="Crowded")
    article = await author.post_article()
    people = (
        "WITH made AS (INSERT INTO users"
        " (id, handle, display_name, name_key, created_at, updated_at)"
        " SELECT gen_random_uuid(), 'crowd-' || n, 'Crowd', 'crowd', now(), now()"
        " FROM generate_series(100, 160) AS n RETURNING id, handle)"
        " INSERT INTO handles (handle, skeleton, user_id, created_at)"
        " SELECT handle, handle, id, now() FROM made"
    )
    async with services.database.write_session() as session:
        await session.execute(text(people))
    assert await complete(client, "crowd") == [f"crowd-{n}" for n in range(100, 120)]
    # However many others there are, whoever is in the thread is shown.
    found = await complete(client, "crowd", article["id"])
    assert found == ["zz-top", *(f"crowd-{n}" for n in range(100, 119))]


async def test_people_complete_by_the_handle_they_have(client: Client) -> None:
    max_ = await client.join("max", display_name="Somebody")
    changed = await max_.client.patch("/v1/me", {"handle": "lee"}, headers={"If-Match": "*"})
    expect(changed, 200)
    assert await complete(client, "max") == []
    assert await complete(client, "le") == ["lee"]


async def test_what_completes_nothing_is_refused(client: Client) -> None:
    for query in ("", "?prefix=", "?prefix=" + "x" * 65, "?prefix=a&article=slug"):
        refused: httpx.Response = await client.get(f"/v1/users{query}")
        expect_problem(refused, 422, "validation_failed")
