"""What people follow: levels, lists, and the settings of their notifications."""

from typing import Any

from models import MailFrequency, NotificationKind
from tests.client import Client, Person, expect, expect_problem
from tests.notifications.inboxes import follow

DEFAULTS = {"level": "replies", "is_default": True, "is_automatic": False}


async def list_all(person: Person, **params: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        asked = {"limit": 1, **params, **({"cursor": cursor} if cursor else {})}
        page = expect(await person.client.get("/v1/me/subscriptions", params=asked), 200)
        found += page["data"]
        cursor = page["page"]["next_cursor"]
        if cursor is None:
            return found


async def test_following_and_muting(client: Client) -> None:
    ann, ben = await client.join("ann"), await client.join("ben")
    articles = [await ben.post_article(f"Number {n}") for n in range(3)]
    for what in (f"articles/{articles[0]['slug']}", "users/ben", "tags/Space"):
        path = f"/v1/{what}/subscription"
        assert expect(await ann.client.get(path), 200) == DEFAULTS
        expect(await ann.client.delete(path), 204)
        for level in ("all", "mute"):
            chosen = {"level": level, "is_default": False, "is_automatic": False}
            assert expect(await ann.client.put(path, {"level": level}), 200) == chosen
            assert expect(await ann.client.get(path), 200) == chosen
        expect(await ann.client.delete(path), 204)
        assert expect(await ann.client.get(path), 200) == DEFAULTS
        refused = await ann.client.put(path, {"level": "some"})
        expect_problem(refused, 422, "validation_failed")
    own = await ann.client.put("/v1/users/ann/subscription", {"level": "all"})
    expect_problem(own, 403, "own_subscription")
    nobody = await ann.client.put("/v1/users/nobody/subscription", {"level": "all"})
    expect_problem(nobody, 404, "user_not_found")


async def test_lists_of_what_one_follows(client: Client) -> None:
    ann, ben, cem = [await client.join(name) for name in ("ann", "ben", "cem")]
    articles = [(await ben.post_article(f"Number {n}"))["id"] for n in range(3)]
    for article in articles:
        await follow(ann, f"articles/{article}", "all")
    await follow(ann, f"articles/{articles[1]}", "mute")
    await follow(ann, "users/cem", "mute")
    await follow(ann, "users/ben", "all")
    for tag in ("space", "docks"):
        await follow(ann, f"tags/{tag}", "all")
    listed = await list_all(ann)
    assert [one["article"]["id"] for one in listed] == articles[::-1]
    assert [one["level"] for one in listed] == ["all", "mute", "all"]
    (muted,) = await list_all(ann, level="mute")
    assert muted["article"]["title"] == "Number 1"
    listed = await list_all(ann, type="user")
    assert [one["user"]["handle"] for one in listed] == ["cem", "ben"]
    assert [one["tag"] for one in await list_all(ann, type="tag")] == ["docks", "space"]
    # Nobody else's, and no article that is gone.
    assert await list_all(cem) == []
    headers = {"If-Match": "*"}
    expect(await ben.client.delete(f"/v1/articles/{articles[2]}", headers=headers), 204)
    assert len(await list_all(ann)) == 2
    page = expect(await ann.client.get("/v1/me/subscriptions?limit=1"), 200)["page"]
    wrong = {"type": "user", "cursor": page["next_cursor"]}
    refused = await ann.client.get("/v1/me/subscriptions", params=wrong)
    expect_problem(refused, 400, "invalid_cursor")


async def test_settings(client: Client) -> None:
    ann = await client.join("ann")
    path = "/v1/me/notification-settings"
    defaults = expect(await ann.client.get(path), 200)
    assert defaults["follows_own_threads"] is True
    assert set(defaults["channels"]) == {kind.value for kind in NotificationKind}
    assert defaults["channels"]["mention"] == {"mail": "immediately", "push": True}
    assert defaults["channels"]["followed"] == {"mail": "never", "push": False}
    for frequency in MailFrequency:
        channel = {"mail": frequency.value, "push": False}
        body = {"follows_own_threads": False, "channels": {"mention": channel}}
        chosen = expect(await ann.client.put(path, body), 200)
        assert chosen["channels"] == defaults["channels"] | {"mention": channel}
        assert chosen == expect(await ann.client.get(path), 200)
    assert expect(await ann.client.put(path, {}), 200) == defaults
    for body in ({"channels": {"other": channel}}, {"channels": {"mention": {"mail": "daily"}}}):
        expect_problem(await ann.client.put(path, body), 422, "validation_failed")
