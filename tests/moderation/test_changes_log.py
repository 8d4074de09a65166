"""Changes by staff, beside decisions about comments, are logged: who, what, before and after."""

from typing import Any
from uuid import UUID

from sqlalchemy import select

from api.articles import lifecycle
from api.articles.queries import refers_to
from api.kit.services import Services
from models import Article, ArticleState
from tests.client import expect
from tests.moderation.conftest import Forum

ANY_VERSION = {"If-Match": "*"}
RULES = "/v1/moderation/rules"


def differ(entry: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return what an entry says that changed: before and after."""
    before, after = entry["before"], entry["after"]
    return {
        name: (before.get(name), after.get(name))
        for name in {**before, **after}
        if before.get(name) != after.get(name)
    }


async def test_changes_of_rules_and_settings_are_logged(forum: Forum) -> None:
    staff = forum.moderator.client
    rule = {"kind": "word", "value": "blorp", "action": "hold", "note": "Of the spring wave."}
    path = f"{RULES}/{expect(await staff.post(RULES, rule), 201)['id']}"
    for change in ({"action": "flag", "note": ""}, {"action": "flag"}):
        expect(await staff.patch(path, change, headers=ANY_VERSION), 200)
    csv = "kind,value,action\nword,blorp,reject\nword,gronk,hold\n"
    headers = {"Content-Type": "text/csv"}
    for _ in range(2):
        sent = await staff.request("POST", f"{RULES}/import", content=csv, headers=headers)
        expect(sent, 200)
    expect(await staff.delete(path, headers=ANY_VERSION), 204)
    settings = "/v1/moderation/settings"
    for _ in range(2):
        changed = {"max_links": 3, "public_log": False}
        expect(await staff.patch(settings, changed, headers=ANY_VERSION), 200)
    [setting, deleted, imported, edited, created] = await forum.log()
    assert {one["actor"]["handle"] for one in await forum.log()} == {"staff-moderator"}
    assert (setting["action"], differ(setting)) == ("change_settings", {"max_links": (None, 3)})
    assert deleted["action"] == created["action"] == edited["action"] == "change_rules"
    assert deleted["before"]["value"] == created["after"]["value"] == "blorp"
    assert differ(deleted).keys() == differ(created).keys()
    assert differ(edited) == {"action": ("hold", "flag"), "note": (True, False)}
    assert imported["after"]["added"] == imported["after"]["changed"] == 1
    [was, _], [is_now, new] = imported["before"]["rules"], imported["after"]["rules"]
    assert (was["action"], is_now["action"], new["value"]) == ("flag", "reject", "gronk")
    assert "spring" not in str(await forum.log())


async def test_what_moderators_do_to_articles_is_logged(forum: Forum, services: Services) -> None:
    article = await forum.author.post_article("Mine")
    path = f"/v1/articles/{article['id']}"
    # Their own they change as they like.
    own = await forum.author.client.patch(path, {"title": "Still mine"}, headers=ANY_VERSION)
    expect(own, 200)
    await forum.author.reply(article["id"], "Reported.")
    [comment] = (await forum.client.tree(article["id"]))["data"]
    expect(await forum.report(comment["id"]), 201)
    staff = forum.moderator.client
    change = {"title": "Changed secretly", "is_locked": True, "tags": ["space"]}
    expect(await staff.patch(path, change, headers=ANY_VERSION), 200)
    expect(await staff.delete(path, headers=ANY_VERSION), 204)
    removed, changed = await forum.log(article_id=article["id"])
    assert {one["user"]["handle"] for one in (removed, changed)} == {"olga"}
    assert (changed["action"], changed["after"]["changed"]) == (
        "change_article",
        ["title", "is_locked", "tags"],
    )
    assert (removed["action"], differ(removed)) == ("remove", {"state": ("visible", "removed")})
    assert "secretly" not in str(await forum.log())
    # Nobody decided about the comments; they wait again when the article comes back.
    assert await forum.queue() == []
    async with services.unit_of_work() as uow:
        statement = select(Article).where(refers_to(UUID(article["id"])))
        row = (await uow.session.scalars(statement)).one()
        lifecycle.change_state(uow, row, ArticleState.VISIBLE)
    assert [one["comment"]["id"] for one in await forum.queue()] == [comment["id"]]
