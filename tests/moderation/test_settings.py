"""Settings of a discussion: who may reply, how often, and what is shown above it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from api.kit.services import Services
from models import CommentState
from tests.client import Client, Person, expect, expect_problem
from tests.conftest import MovableClock
from tests.lifecycle import change_states

MakeStaff = Callable[[str], Awaitable[Person]]


async def put(
    moderator: Person, article: dict[str, Any], if_match: str = "*", **settings: Any
) -> httpx.Response:
    path = f"/v1/articles/{article['slug']}/settings"
    return await moderator.client.put(path, settings, headers={"If-Match": if_match})


async def reply(person: Person, article: dict[str, Any]) -> httpx.Response:
    return await person.client.post(f"/v1/articles/{article['slug']}/comments", {"body": "I see."})


async def may_reply(person: Person, article: dict[str, Any]) -> bool:
    viewer = expect(await person.client.get(f"/v1/articles/{article['slug']}/viewer"), 200)
    return bool(viewer["may_reply"])


async def read_log(services: Services) -> list[tuple[str, Any, Any]]:
    async with services.database.read_session() as session:
        rows = await session.execute(
            text("SELECT action, before, after FROM moderation_log ORDER BY created_at, id")
        )
        return [(row.action, row.before, row.after) for row in rows]


async def test_settings_are_shown_with_the_next_read_of_article_and_tree(
    client: Client, make_staff: MakeStaff, services: Services
) -> None:
    author, moderator = await client.join(), await make_staff("moderator")
    article = await author.post_article()
    comment = await author.reply(article["id"])
    await client.tree(article["id"])
    seen = await client.get(f"/v1/articles/{article['id']}")
    settings = {
        "is_locked": True,
        "closes_at": "2031-01-01T12:00:00Z",
        "slow_mode_seconds": 60,
        "is_pre_moderated": True,
        "is_members_only": True,
        "pinned_comment_id": comment["id"],
        "notice": "Please keep to the subject.",
    }
    changed = await put(moderator, article, seen.headers["etag"], **settings)
    assert expect(changed, 200) == {**expect(seen, 200), **settings, "version": 2}
    read = await client.get(f"/v1/articles/{article['id']}")
    assert (read.json(), read.headers["etag"]) == (changed.json(), changed.headers["etag"])
    assert read.json()["edited_at"] is None
    (listed,) = expect(await client.get("/v1/articles"), 200)["data"]
    assert (listed["is_locked"], listed["closes_at"]) == (True, settings["closes_at"])
    for path in (f"/v1/articles/{article['id']}/comments", f"/v1/comments/{comment['id']}/replies"):
        tree = expect(await client.get(path), 200)
        assert tree["version"] == 2
        assert tree["notice"] == settings["notice"]
        assert tree["pinned_comment_id"] == comment["id"]
    # The log explains, without the text of the notice.
    [(action, before, after)] = await read_log(services)
    assert action == "change_article"
    assert before == {**dict.fromkeys(settings, False), "closes_at": None} | {
        "slow_mode_seconds": 0,
        "pinned_comment_id": None,
    }
    assert after == {**settings, "notice": True}


async def test_settings_left_out_get_their_defaults_and_nothing_changes_twice(
    client: Client, make_staff: MakeStaff, services: Services
) -> None:
    moderator = await make_staff("moderator")
    article = await moderator.post_article()
    expect(await put(moderator, article, slow_mode_seconds=5, notice="Hello."), 200)
    again = expect(await put(moderator, article, slow_mode_seconds=5, notice="Hello."), 200)
    assert again["version"] == 1
    reset = expect(await put(moderator, article), 200)
    assert (reset["slow_mode_seconds"], reset["notice"], reset["version"]) == (0, None, 2)
    assert len(await read_log(services)) == 2


async def test_two_moderators_do_not_undo_each_other(client: Client, make_staff: MakeStaff) -> None:
    moderator, admin = await make_staff("moderator"), await make_staff("admin")
    article = await moderator.post_article()
    tag = (await client.get(f"/v1/articles/{article['id']}")).headers["etag"]
    one, two = await asyncio.gather(
        put(moderator, article, tag, is_locked=True), put(admin, article, tag, notice="Hello.")
    )
    assert sorted((one.status_code, two.status_code)) == [200, 412]


async def test_only_moderators_replace_settings(client: Client) -> None:
    author = await client.join()
    article = await author.post_article()
    expect_problem(await put(author, article, is_locked=True), 403, "not_a_moderator")


async def test_moderators_of_an_article_or_a_tag_replace_its_settings_and_no_others(
    client: Client, make_staff: MakeStaff
) -> None:
    admin, person = await make_staff("admin"), await client.join()
    here, tagged, elsewhere = [
        await admin.post_article(title, tags=tags)
        for title, tags in (("Here", []), ("Tagged", ["space"]), ("Elsewhere", ["other"]))
    ]
    subjects = {"article_ids": [here["id"]], "tags": ["space"]}
    appointed = await admin.client.put(
        f"/v1/moderators/{person.handle}", subjects, headers={"If-Match": "*"}
    )
    expect(appointed, 200)
    for article in (here, tagged):
        expect(await put(person, article, notice="Hello."), 200)
    expect_problem(await put(person, elsewhere, notice="Hello."), 403, "outside_your_scope")
    of_tag = await person.client.put(
        "/v1/tags/space/settings", {"is_pre_moderated": True}, headers={"If-Match": "*"}
    )
    expect_problem(of_tag, 403, "not_a_moderator")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("closes_at", "tomorrow"),
        ("closes_at", "2031-01-01"),
        ("closes_at", "2031-01-01T12:00:00"),
        ("closes_at", 1900000000),
        ("closes_at", "9999-12-31T23:59:59-12:00"),
        ("closes_at", "0001-01-01T00:00:00+12:00"),
        ("slow_mode_seconds", -1),
        ("slow_mode_seconds", 86401),
        ("slow_mode_seconds", True),
        ("notice", ""),
        ("notice", " "),
        ("notice", "x" * 1001),
        ("notice", "a\x00b"),
        ("pinned_comment_id", "x"),
        ("is_locked", None),
        ("locked", True),
    ],
)
async def test_settings_out_of_bounds_are_refused(
    client: Client, make_staff: MakeStaff, field: str, value: Any
) -> None:
    moderator = await make_staff("moderator")
    article = await moderator.post_article()
    problem = expect_problem(
        await put(moderator, article, **{field: value}), 422, "validation_failed"
    )
    [error] = problem["errors"]
    assert error["pointer"] == f"/body/{field}"
    assert error["detail"].endswith(".")


async def test_a_discussion_closes_at_its_time_without_a_job(
    client: Client, make_staff: MakeStaff, clock: MovableClock
) -> None:
    moderator = await make_staff("moderator")
    article = await moderator.post_article()
    closes_at = (clock.now() + timedelta(minutes=5)).isoformat()
    expect(await put(moderator, article, closes_at=closes_at), 200)
    member = await client.join()
    expect(await reply(member, article), 201)
    assert await may_reply(member, article)
    clock.advance(minutes=6)
    expect_problem(await reply(member, article), 409, "article_closed")
    assert not await may_reply(member, article)
    expect(await reply(moderator, article), 201)


async def test_newcomers_wait_where_only_members_reply(
    client: Client, make_staff: MakeStaff, clock: MovableClock
) -> None:
    moderator, newcomer = await make_staff("moderator"), await client.join("nina")
    article = await moderator.post_article()
    expect(await put(moderator, article, is_members_only=True), 200)
    expect_problem(await reply(newcomer, article), 403, "members_only")
    assert not await may_reply(newcomer, article)
    expect(await reply(moderator, article), 201)
    clock.advance(days=1, minutes=1)
    member = await client.log_in("nina")
    expect(await reply(member, article), 201)
    assert await may_reply(member, article)


async def test_in_slow_mode_each_person_waits_between_comments(
    client: Client, make_staff: MakeStaff, clock: MovableClock
) -> None:
    moderator, one, two = await make_staff("moderator"), await client.join(), await client.join()
    article, other = await moderator.post_article(), await moderator.post_article()
    expect(await put(moderator, article, slow_mode_seconds=60), 200)
    first = expect(await reply(one, article), 201)
    refused = await reply(one, article)
    expect_problem(refused, 429, "slow_mode")
    assert 55 <= int(refused.headers["retry-after"]) <= 60
    # What was refused counts as nothing; deleting does not make the wait shorter.
    expect(await one.take_back(first["id"]), 204)
    clock.advance(seconds=30)
    refused = await reply(one, article)
    expect_problem(refused, 429, "slow_mode")
    viewer = f"/v1/articles/{article['id']}/viewer"
    seen = expect(await one.client.get(viewer), 200)
    wait = datetime.fromisoformat(seen["may_reply_at"]) - clock.now()
    assert (seen["may_reply"], 0 < wait.total_seconds() <= 30) == (True, True)
    for person in (two, moderator):
        assert expect(await person.client.get(viewer), 200)["may_reply_at"] is None
    assert 25 <= int(refused.headers["retry-after"]) <= 30
    # Nobody else waits, and nobody elsewhere.
    for person, where in ((two, article), (one, other), (moderator, article), (moderator, article)):
        expect(await reply(person, where), 201)
    clock.advance(seconds=31)
    assert expect(await one.client.get(viewer), 200)["may_reply_at"] is None
    expect(await reply(one, article), 201)


async def test_of_two_replies_at_once_slow_mode_lets_one_through(
    client: Client, make_staff: MakeStaff
) -> None:
    moderator, member = await make_staff("moderator"), await client.join()
    article = await moderator.post_article()
    expect(await put(moderator, article, slow_mode_seconds=60), 200)
    answers = await asyncio.gather(*(reply(member, article) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 429, 429, 429, 429]
    assert len((await client.tree(article["id"]))["data"]) == 1


@pytest.mark.parametrize("after", [CommentState.HIDDEN, CommentState.REMOVED, CommentState.DELETED])
async def test_a_comment_that_is_no_longer_shown_is_no_longer_pinned(
    client: Client, make_staff: MakeStaff, services: Services, after: CommentState
) -> None:
    moderator = await make_staff("moderator")
    article = await moderator.post_article()
    pinned, other = await moderator.reply(article["id"]), await moderator.reply(article["id"])
    expect(await put(moderator, article, pinned_comment_id=pinned["id"]), 200)
    await change_states(services, article["id"], [other["id"]], after)
    assert (await client.tree(article["id"]))["pinned_comment_id"] == pinned["id"]
    await change_states(services, article["id"], [pinned["id"]], after)
    assert (await client.tree(article["id"]))["pinned_comment_id"] is None
    read = expect(await client.get(f"/v1/articles/{article['id']}"), 200)
    assert read["pinned_comment_id"] is None
    again = await put(moderator, article, pinned_comment_id=pinned["id"])
    expect_problem(again, 409, "pinned_comment_not_shown")


async def test_only_a_comment_of_the_article_is_pinned(
    client: Client, make_staff: MakeStaff
) -> None:
    moderator = await make_staff("moderator")
    article, other = await moderator.post_article(), await moderator.post_article()
    elsewhere = await moderator.reply(other["id"])
    for comment in (elsewhere["id"], article["id"]):
        answer = await put(moderator, article, pinned_comment_id=comment)
        expect_problem(answer, 409, "pinned_comment_not_shown")


async def test_settings_of_a_tag(client: Client, make_staff: MakeStaff, services: Services) -> None:
    moderator, member = await make_staff("moderator"), await client.join()
    path = "/v1/tags/Space/settings"
    unset = await moderator.client.get(path)
    assert expect(unset, 200) == {"tag": "space", "is_pre_moderated": False, "updated_at": None}
    on = {"is_pre_moderated": True}
    tag = {"If-Match": unset.headers["etag"]}
    one, two = await asyncio.gather(
        *(moderator.client.put(path, on, headers=tag) for _ in range(2))
    )
    assert sorted((one.status_code, two.status_code)) == [200, 412]
    read = await moderator.client.get(path)
    assert expect(read, 200)["is_pre_moderated"] is True
    assert read.json()["updated_at"] is not None
    same = await moderator.client.put(path, on, headers={"If-Match": read.headers["etag"]})
    assert same.headers["etag"] == read.headers["etag"]
    expect_problem(await moderator.client.put(path, on), 428, "precondition_required")
    expect_problem(await member.client.get(path), 403, "not_a_moderator")
    put_by_member = await member.client.put(path, on, headers={"If-Match": "*"})
    expect_problem(put_by_member, 403, "not_a_moderator")
    assert await read_log(services) == [
        (
            "change_tag",
            {"tag": "space", "is_pre_moderated": False},
            {"tag": "space", "is_pre_moderated": True},
        )
    ]
