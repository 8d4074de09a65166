"""Publishing an article, and what refuses it. A refused write leaves no row."""

from typing import Any

import pytest
from sqlalchemy import text

from api.kit.services import Services
from tests.client import Client, expect, expect_problem


async def count_rows(services: Services) -> tuple[int, ...]:
    """Count what publishing writes: articles, tags, events."""
    statement = text(
        "SELECT (SELECT count(*) FROM articles), (SELECT count(*) FROM article_tags), "
        "(SELECT count(*) FROM events WHERE type LIKE 'article%')"
    )
    async with services.database.read_session() as session:
        return tuple((await session.execute(statement)).one())


async def test_an_article_is_answered_as_it_will_be_read(client: Client) -> None:
    person = await client.join(display_name="Max Power")
    body = {
        "title": " On docking ports ",
        "body": "They met on **April 1st**.\r\nAgain.",
        "url": "https://example.com/docking?a=1",
        "external_id": "https://example.com/?p=7",
        "tags": ["Space", "docking-ports"],
    }
    answer = await person.client.post("/v1/articles", body)
    article = expect(answer, 201)
    assert answer.headers["location"] == f"/v1/articles/{article['id']}"
    assert article == {
        "id": article["id"],
        "slug": "on-docking-ports",
        "title": "On docking ports",
        "body": "They met on **April 1st**.\nAgain.",
        "html": "<p>They met on <strong>April 1st</strong>.\nAgain.</p>\n",
        "url": "https://example.com/docking?a=1",
        "external_id": "https://example.com/?p=7",
        "tags": ["space", "docking-ports"],
        "author": {
            "id": person.id,
            "handle": person.handle,
            "display_name": "Max Power",
            "avatar_url": None,
        },
        "excerpt": "They met on April 1st. Again.",
        "is_locked": False,
        "closes_at": None,
        "notice": None,
        "pinned_comment_id": None,
        "slow_mode_seconds": 0,
        "is_members_only": False,
        "is_pre_moderated": False,
        "version": 0,
        "comment_count": 0,
        "up": 0,
        "down": 0,
        "score": 0,
        "created_at": article["created_at"],
        "edited_at": None,
        "last_activity_at": article["created_at"],
    }
    for ref in (article["id"], article["id"].upper(), article["slug"]):
        read = await client.get(f"/v1/articles/{ref}")
        assert expect(read, 200) == article
        assert read.headers["etag"] == answer.headers["etag"]
    known = {"If-None-Match": answer.headers["etag"]}
    expect(await client.get(answer.headers["location"], headers=known), 304)


async def test_only_people_publish(client: Client, services: Services) -> None:
    answer = await client.post("/v1/articles", {"title": "T"})
    expect_problem(answer, 401, "not_authenticated")
    assert await count_rows(services) == (0, 0, 0)


@pytest.mark.parametrize(
    "ref", ["nothing-like-it", "0198f2c5-6f7a-7c3e-9d2b-3a1f5e8c7b60", "Nothing Like It", "é"]
)
async def test_what_is_not_there_is_not_found(client: Client, ref: str) -> None:
    expect_problem(await client.get(f"/v1/articles/{ref}"), 404, "article_not_found")


async def test_an_endless_slug_is_not_found(client: Client) -> None:
    expect_problem(await client.get(f"/v1/articles/{'x' * 121}"), 404, "not_found")


async def test_html_is_clean(client: Client) -> None:
    person = await client.join()
    article = await person.post_article(
        body="<script>alert(1)</script> [a](javascript:alert(1)) [b](https://ok.example) "
        "<img src=x onerror=alert(1)>"
    )
    assert "<script" not in article["html"]
    assert "<img" not in article["html"]
    assert 'href="javascript' not in article["html"]
    link = '<a href="https://ok.example" rel="nofollow ugc noopener">b</a>'
    assert link in article["html"]


async def test_the_largest_article_is_taken(client: Client) -> None:
    person = await client.join()
    fields: dict[str, Any] = {
        "title": "é" * 300,
        "body": "é" * 20_000,
        "url": "https://example.com/" + "x" * 2028,
        "external_id": "~" * 255,
        "slug": "x" * 120,
        "tags": [f"{n}" * 32 for n in range(10)],
    }
    article = await person.post_article(**fields)
    assert {name: article[name] for name in fields} == fields


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("title", ["", "  ", "x" * 301, "a\u0000b", "a\nb", "a\u202eb", None, 7, ["x"]]),
        ("body", ["x" * 20_001, "a\u0000b", "a\u0007b", None, 7]),
        (
            "url",
            ["", "example.com", "javascript:alert(1)", "ftp://a.example", "http://", "https://a b"],
        ),
        ("url", ["https://a.example/" + "x" * 2048, "https://a.example/é", 7]),
        ("external_id", ["", "a b", "é", "x" * 256, "a\n", 7]),
        (
            "tags",
            [["a"] * 2, ["A", "a"], ["x" * 33], ["\u0130" * 32], [""], ["a b"], ["#a"], ["a,b"]],
        ),
        ("tags", [[str(n) for n in range(11)], "a", [7], [None], {"a": 1}]),
        ("is_locked", [True]),
        ("author_id", ["0198f2c5-6f7a-7c3e-9d2b-3a1f5e8c7b60"]),
    ],
)
async def test_what_is_out_of_bounds_is_refused(
    client: Client, services: Services, field: str, values: list[object]
) -> None:
    person = await client.join()
    for value in values:
        answer = await person.client.post("/v1/articles", {"title": "T", field: value})
        problem = expect_problem(answer, 422, "validation_failed")
        assert problem["errors"][0]["pointer"].startswith(f"/body/{field}"), value
    assert await count_rows(services) == (0, 0, 0)


async def test_a_text_that_renders_to_too_much_is_refused(
    client: Client, services: Services
) -> None:
    person = await client.join()
    much = "|a" * 60 + "|\n" + "|-" * 60 + "|\n" + "|\n" * 9_000
    answer = await person.client.post("/v1/articles", {"title": "T", "body": much})
    expect_problem(answer, 422, "text_too_large")
    answer = await person.client.put(
        "/v1/articles/by-external-id/x", {"title": "T", "body": ">" * 100}
    )
    expect_problem(answer, 422, "text_too_large")
    assert await count_rows(services) == (0, 0, 0)


async def test_tags_keep_their_order_and_are_lower_case(client: Client) -> None:
    person = await client.join()
    article = await person.post_article(tags=["Zebra", "ÉTÉ", "apple", "c++", "中国"])
    assert article["tags"] == ["zebra", "été", "apple", "c++", "中国"]
    again = await person.post_article(tags=["E\u0301te\u0301"])
    assert again["tags"] == ["été"]


async def test_a_key_makes_one_article_of_two_requests(client: Client, services: Services) -> None:
    person = await client.join()
    first, second = [
        await person.client.post(
            "/v1/articles", {"title": "T", "tags": ["a"]}, headers={"Idempotency-Key": "k1"}
        )
        for _ in range(2)
    ]
    assert expect(first, 201) == expect(second, 201)
    assert second.headers["idempotent-replayed"] == "true"
    assert second.headers["location"] == first.headers["location"]
    assert await count_rows(services) == (1, 1, 1)
