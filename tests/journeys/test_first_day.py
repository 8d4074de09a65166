"""What a frontend developer does on the first day, from registering to deleting."""

from tests.client import Client, expect, flatten


async def test_two_people_discuss_an_article(client: Client) -> None:
    max_, lee = await client.join("max"), await client.join("lee", display_name="Lee Stevenson")
    article = await max_.post_article("Europe and China", tags=["space"])
    first = await lee.reply(article["slug"], "Hello @max, and @nobody-here.")
    assert [m["handle"] for m in first["mentions"]] == ["max"]
    assert [m["reason"] for m in first["unresolved_mentions"]] == ["unknown"]
    second = await max_.reply(article["id"], "@Lee Stevenson…. indeed", first["id"])
    assert [(m["text"], m["handle"]) for m in second["mentions"]] == [("@Lee Stevenson", "lee")]
    third = await lee.reply(article["id"], "Third level", second["id"])
    assert third["depth"] == 2

    for sort in ("best", "new", "old", "top", "hot", "controversial"):
        tree = await client.tree(article["slug"], sort=sort)
        assert [node["id"] for node in flatten(tree["data"])] == [
            first["id"],
            second["id"],
            third["id"],
        ]
        assert tree["page"] == {"next_cursor": None, "has_more": False, "remaining": 0}

    edited = expect(await lee.edit(third["id"], "Third level, *edited*"), 200)
    assert edited["html"] == "<p>Third level, <em>edited</em></p>\n"
    assert edited["edited_at"] is not None
    expect(await max_.take_back(second["id"]), 204)
    tree = await client.tree(article["slug"])
    tombstone = tree["data"][0]["replies"]["data"][0]
    assert (tombstone["state"], tombstone["author"], tombstone["body"]) == ("deleted", None, None)
    expect(await lee.take_back(third["id"]), 204)
    tree = await client.tree(article["slug"])
    assert [node["id"] for node in flatten(tree["data"])] == [first["id"]]
    assert tree["data"][0]["reply_count"] == 0
