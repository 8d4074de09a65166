"""Editing and taking back: who may, what is seen afterwards, and what the counters say."""

from typing import Any

from tests.client import Client, Person, expect, expect_problem, flatten


async def test_only_its_author_edits_a_comment(client: Client) -> None:
    author, other = await client.join(), await client.join()
    article = await author.post_article()
    comment = await author.reply(article["id"], "First")
    expect_problem(await other.edit(comment["id"], "Mine"), 403, "not_your_comment")
    edited = expect(await author.edit(comment["id"], "Second"), 200)
    assert (edited["body"], edited["html"]) == ("Second", "<p>Second</p>\n")
    assert edited["edited_at"] > edited["created_at"]
    assert edited["version"] == comment["version"] + 1
    tree = await client.tree(article["id"])
    assert tree["data"][0]["body"] == "Second"
    assert tree["version"] == edited["version"]


async def test_an_edit_says_what_it_saw(client: Client) -> None:
    author = await client.join()
    article = await author.post_article()
    path = f"/v1/comments/{(await author.reply(article['id'], 'First'))['id']}"
    seen = (await client.get(path)).headers["etag"]
    expect_problem(await author.client.patch(path, {"body": "x"}), 428, "precondition_required")
    expect_problem(await author.client.delete(path), 428, "precondition_required")
    # A reply changes the tag but not what an edit would overwrite.
    await author.reply(article["id"], parent=path.rpartition("/")[2])
    assert (await client.get(path)).headers["etag"] != seen
    second = await author.client.patch(path, {"body": "Second"}, headers={"If-Match": seen})
    expect(second, 200)
    stale = await author.client.patch(path, {"body": "Third"}, headers={"If-Match": seen})
    expect_problem(stale, 412, "precondition_failed")
    gone = await author.client.delete(path, headers={"If-Match": seen})
    expect_problem(gone, 412, "precondition_failed")
    expect(
        await author.client.patch(
            path, {"body": "Third"}, headers={"If-Match": second.headers["etag"]}
        ),
        200,
    )


async def test_the_same_text_again_changes_nothing(client: Client) -> None:
    author = await client.join()
    article = await author.post_article()
    comment = await author.reply(article["id"], "Same")
    again = expect(await author.edit(comment["id"], "Same"), 200)
    assert (again["version"], again["edited_at"]) == (comment["version"], None)


async def test_an_edit_replaces_mentions(client: Client) -> None:
    author = await client.join("writer")
    await client.join("max")
    await client.join("lee")
    article = await author.post_article()
    comment = await author.reply(article["id"], "Hi @max and @max")
    edited = expect(await author.edit(comment["id"], "Oh, hi @lee and @max"), 200)
    assert [m["handle"] for m in edited["mentions"]] == ["lee", "max"]
    read = expect(await client.get(f"/v1/comments/{comment['id']}"), 200)
    assert read["mentions"] == edited["mentions"]
    bare = expect(await author.edit(comment["id"], "Nobody"), 200)
    assert bare["mentions"] == []


async def thread(person: Person, shape: list[int | None]) -> tuple[str, list[str]]:
    article = await person.post_article()
    ids: list[str] = []
    for parent in shape:
        comment = await person.reply(
            article["id"], "marker-text", None if parent is None else ids[parent]
        )
        ids.append(comment["id"])
    return article["id"], ids


async def see(client: Client, article: str) -> dict[str, dict[str, Any]]:
    return {node["id"]: node for node in flatten((await client.tree(article))["data"])}


async def test_a_leaf_is_gone_from_everywhere(client: Client) -> None:
    person = await client.join()
    article, (root, leaf) = await thread(person, [None, 0])
    expect(await person.take_back(leaf), 204)
    nodes = await see(client, article)
    assert list(nodes) == [root]
    assert (nodes[root]["reply_count"], nodes[root]["descendant_count"]) == (0, 0)
    expect_problem(await client.get(f"/v1/comments/{leaf}"), 404, "comment_not_found")
    expect_problem(await client.get(f"/v1/comments/{leaf}/context"), 404, "comment_not_found")
    expect_problem(await client.get(f"/v1/comments/{leaf}/replies"), 404, "comment_not_found")
    assert expect(await client.get(f"/v1/articles/{article}"), 200)["comment_count"] == 1


async def test_a_tombstone_shows_nothing_of_what_it_was(client: Client) -> None:
    person = await client.join()
    article, (root, leaf) = await thread(person, [None, 0])
    expect(await person.edit(leaf, "another text"), 200)
    expect(await person.take_back(root), 204)
    node = (await see(client, article))[root]
    assert (node["state"], node["author"], node["body"]) == ("deleted", None, None)
    assert (node["html"], node["mentions"]) == (None, [])
    for path in (
        f"/v1/comments/{root}",
        f"/v1/comments/{leaf}/context",
        f"/v1/articles/{article}/comments/flat",
        f"/v1/users/{person.handle}/comments",
        f"/v1/articles/{article}/comments?sort=new",
    ):
        assert "marker-text" not in (await client.get(path)).text, path
    for method in ("PATCH", "DELETE"):
        answer = await person.client.request(
            method,
            f"/v1/comments/{root}",
            headers={"If-Match": "*"},
            **({"json": {"body": "x"}} if method == "PATCH" else {}),
        )
        expect_problem(answer, 409, "comment_gone")


async def test_tombstones_leave_with_the_last_that_held_them_up(client: Client) -> None:
    person = await client.join()
    # A line of four, and beside the second level another reply.
    article, ids = await thread(person, [None, 0, 1, 2, 0])
    for gone in (ids[1], ids[2]):
        expect(await person.take_back(gone), 204)
    nodes = await see(client, article)
    assert [nodes[i]["state"] for i in ids] == ["visible", *["deleted"] * 2, *["visible"] * 2]
    expect(await person.take_back(ids[3]), 204)
    nodes = await see(client, article)
    assert set(nodes) == {ids[0], ids[4]}
    assert (nodes[ids[0]]["reply_count"], nodes[ids[0]]["descendant_count"]) == (1, 1)
    expect(await person.take_back(ids[0]), 204)
    expect(await person.take_back(ids[4]), 204)
    tree = await client.tree(article)
    assert tree["data"] == []
    assert tree["page"]["remaining"] == 0


async def test_staff_removes_what_others_wrote(client: Client, make_staff: Any) -> None:
    person, moderator = await client.join(), await make_staff("moderator")
    article, (root, _) = await thread(person, [None, 0])
    other = await client.join()
    expect_problem(await other.take_back(root), 403, "not_your_comment")
    expect(await moderator.take_back(root), 204)
    assert (await see(client, article))[root]["state"] == "removed"
