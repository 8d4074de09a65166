"""Slugs: made from titles in any script, chosen, numbered, and never given to another article."""

import re
from uuid import uuid4

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from api.articles.slugs import (
    MAX_SLUG_LENGTH,
    SLUG_PATTERN,
    is_like_id,
    is_reserved_slug,
    make_own_slug,
    make_stem,
    propose_slugs,
)
from tests.client import Client, expect, expect_problem

ID = "0198f2c5-6f7a-7c3e-9d2b-3a1f5e8c7b60"


@given(title=st.text(max_size=300))
@example(title=ID)
@example(title=ID.replace("-", ""))
@example(title="0198f2c5 6f7a 7c3e 9d2b")
@example(title="x" * 300)
@example(title="\U0001f600" * 300)
@example(title="'")
@example(title="By external ID")
def test_any_title_makes_slugs(title: str) -> None:
    stem = make_stem(title)
    for slug in (*propose_slugs(stem), make_own_slug(stem, uuid4())):
        assert re.fullmatch(SLUG_PATTERN, slug)
        assert len(slug) <= MAX_SLUG_LENGTH
        assert not is_like_id(slug)
        assert not is_reserved_slug(slug)
    assert make_stem(title) == stem


@pytest.mark.parametrize(
    ("title", "stem"),
    [
        ("Europe and China: *future* space!", "europe-and-china-future-space"),
        ("Don't panic", "dont-panic"),
        ("Don\u2019t panic", "dont-panic"),
        ("Crème brûlée à l'été", "creme-brulee-a-lete"),
        ("Привет, мир", "privet-mir"),
        ("中国空间站", "zhongguokongjianzhan"),
        ("???", "article"),
        ("!", "article"),
        ("x" * 300, "x" * 80),
        (" ".join(["word"] * 40), "-".join(["word"] * 16)),
        (ID, f"article-{ID}"),
        ("By external ID", "article-by-external-id"),
    ],
)
def test_a_title_becomes_what_it_sounds_like(title: str, stem: str) -> None:
    assert make_stem(title) == stem


async def test_articles_of_one_title_are_numbered_and_then_have_their_id(client: Client) -> None:
    person = await client.join()
    slugs = [(await person.post_article("Same title"))["slug"] for _ in range(22)]
    assert slugs[:3] == ["same-title", "same-title-2", "same-title-3"]
    assert slugs[19] == "same-title-20"
    assert re.fullmatch("same-title-[0-9a-f]{10}", slugs[20])
    assert len(set(slugs)) == 22


async def test_a_title_that_is_another_s_number_finds_its_own(client: Client) -> None:
    person = await client.join()
    slugs = [
        (await person.post_article(title))["slug"] for title in ("Part 2", "Part", "Part", "Part 2")
    ]
    assert slugs == ["part-2", "part", "part-3", "part-2-2"]


async def test_a_chosen_slug_is_kept_or_refused(client: Client) -> None:
    person = await client.join()
    article = await person.post_article("Title", slug="my-own-1")
    assert article["slug"] == "my-own-1"
    answer = await person.client.post("/v1/articles", {"title": "Other", "slug": "my-own-1"})
    expect_problem(answer, 409, "slug_taken")
    for slug in (
        "",
        "-a",
        "a-",
        "a--b",
        "A",
        "é",
        "a b",
        "a\n",
        "x" * 121,
        ID,
        ID.replace("-", ""),
        "by-external-id",
    ):
        answer = await person.client.post("/v1/articles", {"title": "T", "slug": slug})
        problem = expect_problem(answer, 422, "validation_failed")
        assert problem["errors"][0]["pointer"] == "/body/slug", slug
    assert len(expect(await client.get("/v1/articles"), 200)["data"]) == 1


async def test_a_slug_of_hex_digits_is_no_id(client: Client) -> None:
    person = await client.join()
    # 32 hex digits, parted otherwise than an id: Python's UUID would take it for one.
    for slug in ("0198f2c5-6f7a7c3e-9d2b3a1f-5e8c7b60", "f" * 33, "f" * 31):
        article = await person.post_article("Title", slug=slug)
        assert expect(await client.get(f"/v1/articles/{slug}"), 200) == article


async def test_a_slug_stays_when_the_title_changes_and_when_the_article_goes(
    client: Client,
) -> None:
    person = await client.join()
    article = await person.post_article("First title")
    path, anyhow = f"/v1/articles/{article['id']}", {"If-Match": "*"}
    changed = expect(await person.client.patch(path, {"title": "Second"}, headers=anyhow), 200)
    assert changed["slug"] == "first-title"
    expect(await person.client.delete(path, headers=anyhow), 204)
    expect_problem(await client.get("/v1/articles/first-title"), 404, "article_not_found")
    assert (await person.post_article("First title"))["slug"] == "first-title-2"
    answer = await person.client.post("/v1/articles", {"title": "T", "slug": "first-title"})
    expect_problem(answer, 409, "slug_taken")
