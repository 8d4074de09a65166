"""Articles of a site that knows them by ids of its own."""

from urllib.parse import quote

from tests.client import Client, expect, expect_problem

PATH = "/v1/articles/by-external-id/"


async def test_the_first_put_creates_and_the_next_changes(client: Client) -> None:
    person = await client.join()
    body = {"title": "Page", "body": "Text", "url": "https://a.example/1", "tags": ["a"]}
    answer = await person.client.put(PATH + "page-7", body)
    created = expect(answer, 201)
    assert answer.headers["location"] == f"/v1/articles/{created['id']}"
    assert (created["external_id"], created["slug"]) == ("page-7", "page")

    again = await person.client.put(PATH + "page-7", body)
    assert expect(again, 200) == created
    assert again.headers["etag"] == answer.headers["etag"]

    # What is left out is as if it had never been there, but for what a PUT cannot say.
    await person.client.patch(
        f"/v1/articles/{created['id']}", {"is_locked": True}, headers={"If-Match": "*"}
    )
    changed = expect(await person.client.put(PATH + "page-7", {"title": "Other"}), 200)
    assert {name: changed[name] for name in ("id", "slug", "title", "body", "url", "tags")} == {
        "id": created["id"],
        "slug": "page",
        "title": "Other",
        "body": "",
        "url": None,
        "tags": [],
    }
    assert (changed["is_locked"], changed["version"]) == (True, 2)
    assert expect(await client.get(f"/v1/articles/{created['id']}"), 200) == changed


async def test_an_id_may_be_an_address(client: Client) -> None:
    person = await client.join()
    external_id = "https://a.example/2021/04/02/?p=7&q=%20#top"
    created = expect(
        await person.client.put(PATH + quote(external_id, safe=""), {"title": "Page"}), 201
    )
    assert created["external_id"] == external_id
    posted = {"title": "Page", "external_id": external_id}
    answer = await person.client.post("/v1/articles", posted)
    expect_problem(answer, 409, "external_id_taken")
    assert len(expect(await client.get("/v1/articles"), 200)["data"]) == 1


async def test_another_s_article_is_not_changed(client: Client) -> None:
    person, other = await client.join(), await client.join()
    created = expect(await person.client.put(PATH + "x", {"title": "Mine"}), 201)
    answer = await other.client.put(PATH + "x", {"title": "Yours"})
    expect_problem(answer, 403, "not_your_article")
    answer = await client.put(PATH + "x", {"title": "Nobody's"})
    expect_problem(answer, 401, "not_authenticated")
    assert expect(await client.get(f"/v1/articles/{created['id']}"), 200) == created


async def test_a_deleted_article_keeps_its_id(client: Client) -> None:
    person = await client.join()
    created = expect(await person.client.put(PATH + "x", {"title": "Mine"}), 201)
    path = f"/v1/articles/{created['id']}"
    expect(await person.client.delete(path, headers={"If-Match": "*"}), 204)
    answer = await person.client.put(PATH + "x", {"title": "Again"})
    expect_problem(answer, 409, "external_id_taken")
    assert expect(await client.get("/v1/articles"), 200)["data"] == []


async def test_what_can_be_no_id_leads_nowhere(client: Client) -> None:
    person = await client.join()
    for external_id in ("a%20b", "%C3%A9", "x" * 256, "a%0Ab", ""):
        answer = await person.client.put(PATH + external_id, {"title": "T"})
        expect_problem(answer, 404, "not_found")
    answer = await person.client.put(PATH + "x", {"title": "T", "slug": "mine"})
    expect_problem(answer, 422, "validation_failed")
    assert expect(await client.get("/v1/articles"), 200)["data"] == []
