"""Lists of articles: their orders, their filters, and paging through them."""

from typing import Any

import pytest
from sqlalchemy import text

from api.kit.services import Services
from tests.client import Client, expect, expect_problem


async def list_ids(client: Client, query: str = "") -> list[str]:
    answer = await client.get(f"/v1/articles{query}")
    return [article["id"] for article in expect(answer, 200)["data"]]


async def set_votes(services: Services, article: str, *, up: int, down: int = 0) -> None:
    """Give an article votes, before it is listed: nobody is told that they changed."""
    statement = text("UPDATE articles SET up = :up, down = :down WHERE id = :id")
    async with services.database.write_session() as session:
        await session.execute(statement, {"up": up, "down": down, "id": article})


async def test_no_articles_are_an_empty_page(client: Client) -> None:
    answer = await client.get("/v1/articles")
    assert expect(answer, 200) == {"data": [], "page": {"next_cursor": None, "has_more": False}}
    assert "link" not in answer.headers


async def test_a_list_shows_all_of_an_article_but_its_text(client: Client) -> None:
    person = await client.join()
    article = await person.post_article(tags=["b", "a"], url="https://a.example/")
    listed = expect(await client.get("/v1/articles"), 200)["data"]
    own = {"body", "html", "notice", "pinned_comment_id", "slow_mode_seconds"}
    own |= {"is_members_only", "is_pre_moderated"}
    assert listed == [{name: article[name] for name in article if name not in own}]


async def test_orders(client: Client, services: Services) -> None:
    person = await client.join()
    first, second, third = [(await person.post_article(f"{n}"))["id"] for n in range(3)]
    await set_votes(services, first, up=3)
    await set_votes(services, second, up=9, down=9)
    await set_votes(services, third, up=0, down=5)
    assert await list_ids(client) == [third, second, first]
    assert await list_ids(client, "?sort=new") == [third, second, first]
    assert await list_ids(client, "?sort=top") == [first, second, third]
    assert await list_ids(client, "?sort=hot") == [first, second, third]
    assert await list_ids(client, "?sort=active") == [third, second, first]
    comment = await person.reply(first)
    assert await list_ids(client, "?sort=active") == [first, third, second]
    await person.reply(second, parent=(await person.reply(second))["id"])
    assert await list_ids(client, "?sort=active") == [second, first, third]
    # Neither an edit nor a deletion is news.
    await person.edit(comment["id"], "Other words.")
    await person.take_back(comment["id"])
    assert await list_ids(client, "?sort=active") == [second, first, third]
    expect_problem(await client.get("/v1/articles?sort=best"), 422, "validation_failed")


async def test_votes_and_age_make_an_article_hot(client: Client, services: Services) -> None:
    person = await client.join()
    good, great, new = [(await person.post_article(f"{n}"))["id"] for n in range(3)]
    statement = text("UPDATE articles SET created_at = now() - interval '26 hours' WHERE id = :id")
    # 26 hours are a little more than two times 12.5: they take more than 100 votes.
    for article, up in ((good, 100), (great, 1_000)):
        async with services.database.write_session() as session:
            await session.execute(statement, {"id": article})
        await set_votes(services, article, up=up)
    assert await list_ids(client, "?sort=hot") == [great, new, good]


async def test_only_with_a_tag(client: Client) -> None:
    person = await client.join()
    both = (await person.post_article(tags=["Space", "été"]))["id"]
    one = (await person.post_article(tags=["space"]))["id"]
    await person.post_article(tags=["spaces"])
    assert await list_ids(client, "?tag=space") == [one, both]
    assert await list_ids(client, "?tag=SPACE") == [one, both]
    assert await list_ids(client, "?tag=e%CC%81t%C3%89") == [both]
    assert await list_ids(client, "?tag=spac") == []
    for nonsense in ("", "a%20b", "x" * 33):
        answer = await client.get(f"/v1/articles?tag={nonsense}")
        expect_problem(answer, 422, "validation_failed")


async def test_only_by_an_author_of_any_handle_they_had(client: Client) -> None:
    person, other = await client.join("first-name"), await client.join()
    mine = (await person.post_article(tags=["a"]))["id"]
    await other.post_article(tags=["a"])
    renamed = await person.client.patch(
        "/v1/me", {"handle": "second-name"}, headers={"If-Match": "*"}
    )
    expect(renamed, 200)
    for handle in ("first-name", "second-name", "First-Name"):
        assert await list_ids(client, f"?author={handle}") == [mine]
        assert await list_ids(client, f"?author={handle}&tag=a&sort=top") == [mine]
    assert await list_ids(client, "?author=second-name&tag=b") == []
    assert await list_ids(client, "?author=third-name") == []
    expect_problem(await client.get("/v1/articles?author=%C3%A9"), 422, "validation_failed")


@pytest.mark.parametrize("sort", ["new", "active", "top", "hot"])
async def test_paging_meets_each_article_once_while_others_are_published(
    client: Client, services: Services, sort: str
) -> None:
    person = await client.join()
    there = [(await person.post_article(f"{n}"))["id"] for n in range(7)]
    for n, article in enumerate(there):
        await set_votes(services, article, up=n % 3)
    wanted = await list_ids(client, f"?sort={sort}")
    assert sorted(wanted) == sorted(there)
    met: list[str] = []
    path = f"/v1/articles?sort={sort}&limit=3"
    while True:
        answer = await client.get(path)
        page = expect(answer, 200)
        met += [article["id"] for article in page["data"]]
        if not page["page"]["has_more"]:
            break
        link = answer.headers["link"]
        assert link.endswith('>; rel="next"')
        path = link.removeprefix("<").partition(">")[0]
        assert page["page"]["next_cursor"] in path
        await set_votes(services, (await person.post_article())["id"], up=9)
    assert page["page"]["next_cursor"] is None
    assert "link" not in answer.headers
    assert met == wanted


async def test_a_last_page_that_is_full_has_no_next(client: Client) -> None:
    person = await client.join()
    for _ in range(2):
        await person.post_article()
    page = expect(await client.get("/v1/articles?limit=2"), 200)["page"]
    assert page == {"next_cursor": None, "has_more": False}


async def test_a_cursor_fits_the_list_that_gave_it_only(client: Client) -> None:
    person = await client.join()
    for _ in range(3):
        await person.post_article(tags=["a"])
    query: dict[str, Any] = {"sort": "top", "tag": "a", "author": person.handle, "limit": 1}
    page = expect(await client.get("/v1/articles", params=query), 200)["page"]
    query["cursor"] = page["next_cursor"]
    expect(await client.get("/v1/articles", params=query), 200)
    # Another size of page, and another spelling of a filter, are the same list.
    expect(await client.get("/v1/articles", params={**query, "limit": 2, "tag": "A"}), 200)
    others = (
        {"sort": "new"},
        {"sort": "hot"},
        {"tag": "b"},
        {"tag": None},
        {"author": "somebody-else"},
        {"author": None},
    )
    for other in others:
        params = {name: value for name, value in {**query, **other}.items() if value is not None}
        answer = await client.get("/v1/articles", params=params)
        expect_problem(answer, 400, "invalid_cursor")


async def test_a_changed_cursor_is_refused(client: Client) -> None:
    person = await client.join()
    for _ in range(2):
        await person.post_article()
    cursor = expect(await client.get("/v1/articles?limit=1"), 200)["page"]["next_cursor"]
    flipped = [
        cursor[:i] + ("A" if cursor[i] != "A" else "B") + cursor[i + 1 :]
        for i in (0, len(cursor) // 2, len(cursor) - 1)
    ]
    for changed in (*flipped, cursor[:-1], cursor + "A", cursor + "=", "", "é", "AAAA"):
        answer = await client.get("/v1/articles", params={"limit": 1, "cursor": changed})
        expect_problem(answer, 400, "invalid_cursor")
    answer = await client.get("/v1/articles", params={"cursor": "A" * 513})
    expect_problem(answer, 422, "validation_failed")


@pytest.mark.parametrize("limit", ["0", "101", "-1", "x", "1.5", "9" * 30])
async def test_a_limit_has_bounds(client: Client, limit: str) -> None:
    expect_problem(await client.get(f"/v1/articles?limit={limit}"), 422, "validation_failed")


async def test_a_summary_has_an_excerpt(client: Client) -> None:
    person = await client.join()
    await person.post_article(body="# Ports\n\nThey *fit* & <b>hold</b>.\n\n" + "More. " * 100)
    [listed] = expect(await client.get("/v1/articles"), 200)["data"]
    assert listed["excerpt"].startswith("Ports They fit & <b>hold</b>. More. ")
    assert listed["excerpt"].endswith("More.\u2026")
    assert len(listed["excerpt"]) <= 280
