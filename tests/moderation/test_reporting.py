"""Reports: who may report what, how much it weighs, and when it hides a comment."""

from collections.abc import Awaitable, Callable

from sqlalchemy import text

from api.auth.actor import ActorKind
from api.kit.services import Services
from api.moderation.reports.policy import weigh_report
from tests.client import Client, Person, expect, expect_problem
from tests.conftest import MovableClock, Process
from tests.moderation.conftest import Forum


async def set_threshold(services: Services, threshold: float | None) -> None:
    async with services.database.write_session() as session:
        await session.execute(
            text("UPDATE screening_settings SET report_threshold = :threshold"),
            {"threshold": threshold},
        )


async def test_a_report_puts_a_comment_into_the_queue(forum: Forum) -> None:
    comment = (await forum.post())["id"]
    report = expect(await forum.report(comment), 201)
    assert report["state"] == "open"
    [item] = await forum.queue()
    assert (item["source"], item["report_count"]) == ("reported", 1)
    assert item["comment"]["id"] == comment
    assert item["comment"]["body"] == "I see."
    [seen] = item["reports"]
    assert seen["reporter"]["handle"] == "anna"
    assert (seen["reason"], seen["note"]) == ("spam", "See for yourself.")
    # Nobody is hidden by a report while the threshold is off.
    assert expect(await forum.client.get(f"/v1/comments/{comment}"), 200)["state"] == "visible"


async def test_one_report_a_person_and_text(forum: Forum) -> None:
    comment = (await forum.post())["id"]
    expect(await forum.report(comment), 201)
    expect_problem(await forum.report(comment), 409, "already_reported")
    # The same text after a decision about it, too.
    await forum.act("hide", comment)
    await forum.act("restore", comment)
    expect_problem(await forum.report(comment), 409, "already_reported")
    expect(await forum.author.edit(comment, "Something worse."), 200)
    expect(await forum.report(comment), 201)


async def test_what_cannot_be_reported(forum: Forum) -> None:
    comment = (await forum.post())["id"]
    expect_problem(await forum.report(comment, by=forum.author), 403, "own_comment")
    await forum.reader.reply(
        expect(await forum.client.get(f"/v1/comments/{comment}"), 200)["article_id"],
        parent=comment,
    )
    await forum.act("remove", comment)
    expect_problem(await forum.report(comment), 409, "comment_gone")
    unknown = "0198f2c5-6f3a-7000-8000-000000000001"
    expect_problem(await forum.report(unknown), 404, "comment_not_found")
    hidden = (await forum.post())["id"]
    await forum.act("hide", hidden)
    expect_problem(await forum.report(hidden), 404, "comment_not_found")


async def test_a_key_makes_one_report(forum: Forum) -> None:
    comment = (await forum.post())["id"]
    path, body = f"/v1/comments/{comment}/reports", {"reason": "abuse"}
    headers = {"Idempotency-Key": "once"}
    first = await forum.reader.client.post(path, body, headers=headers)
    again = await forum.reader.client.post(path, body, headers=headers)
    assert expect(first, 201) == expect(again, 201)


def test_a_report_weighs_as_much_as_the_record_of_its_reporter() -> None:
    def weigh(upheld: int, decided: int, kind: ActorKind = ActorKind.MEMBER) -> float:
        return weigh_report(kind, upheld=upheld, decided=decided)

    assert weigh(0, 0) == 1
    assert weigh(0, 0, ActorKind.NEWCOMER) == 0.5
    assert weigh(0, 100) < 0.05
    assert 1.9 < weigh(100, 100) < 2
    assert weigh(1, 2) == 1


async def test_decisions_make_the_record(forum: Forum, clock: MovableClock) -> None:
    clock.advance(days=2)
    forum.reader = await forum.client.log_in("anna", forum.reader.user)
    forum.author = await forum.client.log_in("olga", forum.author.user)
    forum.moderator = await forum.client.log_in("staff-moderator")
    weights = []
    for action in ("remove", "remove", "approve"):
        comment = (await forum.post())["id"]
        expect(await forum.report(comment), 201)
        [report] = (await forum.inspect(comment))["reports"]
        weights.append(report["weight"])
        await forum.act(action, comment)
        [report] = (await forum.inspect(comment))["reports"]
        assert report["state"] == ("upheld" if action == "remove" else "dismissed")
    assert weights[0] == 1
    assert weights[0] < weights[1] < weights[2]
    # Undone, a decision no longer counts.
    await forum.act("undo", comment)
    [report] = (await forum.inspect(comment))["reports"]
    assert report["state"] == "open"
    # A removal that was wrong turns its report's record around.
    [entry, *_] = await forum.log(action="remove")
    await forum.act("restore", entry["comment_id"])
    [report] = (await forum.inspect(entry["comment_id"]))["reports"]
    assert report["state"] == "dismissed"
    await forum.act("undo", entry["comment_id"])
    [report] = (await forum.inspect(entry["comment_id"]))["reports"]
    assert report["state"] == "upheld"


async def test_reports_hide_a_comment_in_every_process_until_reviewed(
    forum: Forum, start_process: Callable[[], Awaitable[Process]]
) -> None:
    await set_threshold(forum.services, 1.0)
    article = (await forum.author.post_article())["id"]
    comment = (await forum.author.reply(article))["id"]
    other = await start_process()
    clients = (forum.client, other.client)

    async def bodies() -> list[list[str | None]]:
        return [[node["body"] for node in (await one.tree(article))["data"]] for one in clients]

    assert await bodies() == [["I see."], ["I see."]]
    # Two newcomers, each of half a weight.
    expect(await forum.report(comment), 201)
    assert await bodies() == [["I see."], ["I see."]]
    expect(await forum.report(comment, by=await forum.client.join("second")), 201)
    assert await bodies() == [[], []]
    [item] = await forum.queue()
    assert item["comment"]["state"] == "hidden"
    assert item["report_count"] == 2
    [entry] = await forum.log()
    assert (entry["action"], entry["actor"], entry["reason"]) == ("hide", None, "spam")
    await forum.act("approve", comment, etag=item["comment"]["etag"])
    assert await bodies() == [["I see."], ["I see."]]
    # A text that a moderator approved is not hidden by reports again, until it is edited.
    for name in ("third", "fourth"):
        expect(await forum.report(comment, by=await forum.client.join(name)), 201)
    assert await bodies() == [["I see."], ["I see."]]
    assert len(await forum.queue()) == 1
    expect(await forum.author.edit(comment, "Worse."), 200)
    expect(await forum.report(comment), 201)
    assert await bodies() == [[], []]


async def test_dismissed_reports_count_no_longer(forum: Forum) -> None:
    await set_threshold(forum.services, 1.0)
    comment = (await forum.post())["id"]
    expect(await forum.report(comment), 201)
    await forum.act("approve", comment)
    expect(await forum.author.edit(comment, "Another text."), 200)
    expect(await forum.report(comment, by=await forum.client.join("second")), 201)
    assert expect(await forum.client.get(f"/v1/comments/{comment}"), 200)["state"] == "visible"


async def test_a_reporter_is_named_to_staff_only(forum: Forum, client: Client) -> None:
    comment = (await forum.post())["id"]
    expect(await forum.report(comment), 201)
    for path in ("/v1/moderation/queue", f"/v1/comments/{comment}/moderation"):
        for person in (forum.author, forum.reader):
            expect_problem(await person.client.get(path), 403, "not_a_moderator")
        expect_problem(await client.get(path), 401, "not_authenticated")


async def test_the_public_log_names_nobody(forum: Forum, client: Client) -> None:
    expect_problem(await client.get("/v1/modlog"), 404, "public_log_disabled")
    await set_threshold(forum.services, 1.0)
    async with forum.services.database.write_session() as session:
        await session.execute(text("UPDATE screening_settings SET public_log = true"))
    comment = (await forum.post("A marker in the text."))["id"]
    expect(await forum.report(comment), 201)
    expect(await forum.report(comment, by=await forum.client.join("second")), 201)
    await forum.act("remove", comment, reason="abuse")
    read = await client.get("/v1/modlog?limit=1")
    first = expect(read, 200)
    second = expect(await client.get(f"/v1/modlog?cursor={first['page']['next_cursor']}"), 200)
    shown = first["data"] + second["data"]
    assert [(one["action"], one["is_automatic"], one["state"]) for one in shown] == [
        ("remove", False, "removed"),
        ("hide", True, "hidden"),
    ]
    assert shown[0]["reason"] == "abuse"
    assert "next" in read.headers["link"]
    for word in ("marker", "anna", "olga", "staff", "See for", forum.reader.id, forum.author.id):
        assert word not in str(shown)


async def test_moderators_of_some_articles_see_and_decide_theirs(
    forum: Forum, services: Services
) -> None:
    one = (await forum.author.post_article(tags=["tea"]))["id"]
    two = (await forum.author.post_article(tags=["coffee"]))["id"]
    comments = {article: (await forum.author.reply(article))["id"] for article in (one, two)}
    for comment in comments.values():
        expect(await forum.report(comment), 201)
    helper: Person = await forum.client.join("helper")
    expect_problem(await helper.client.get("/v1/moderation/queue"), 403, "not_a_moderator")
    async with services.database.write_session() as session:
        await session.execute(
            text(
                "INSERT INTO moderator_assignments (id, user_id, tag, created_by, created_at)"
                " VALUES (gen_random_uuid(), :id, 'tea', :id, now())"
            ),
            {"id": helper.id},
        )
    [item] = await forum.queue(by=helper)
    assert item["comment"]["id"] == comments[one]
    results = await forum.act("remove", *comments.values(), by=helper)
    assert results[0]["is_done"]
    assert results[1]["problem"]["code"] == "outside_your_scope"
    # The queue of others, the log and the figures are for moderators of the whole forum.
    path = f"/v1/comments/{comments[two]}/moderation"
    expect_problem(await helper.client.get(path), 403, "outside_your_scope")
    expect_problem(await helper.client.get("/v1/moderation/log"), 403, "not_a_moderator")
    [other] = await forum.queue()
    claim = f"/v1/moderation/queue/{other['id']}/claim"
    expect_problem(await helper.client.post(claim), 403, "outside_your_scope")
    await forum.act("escalate", comments[two])
    await forum.act("undo", comments[one])
    await forum.act("escalate", comments[one])
    assert await forum.queue(by=helper) == []
    [refused] = await forum.act("approve", comments[one], by=helper)
    assert refused["problem"]["code"] == "not_a_moderator"
