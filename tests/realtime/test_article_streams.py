"""The stream of an article: what it tells, from where on, and when it ends."""

import re
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from fastapi import FastAPI
from sqlalchemy import text

from api.accounts.service import log_out_everywhere
from api.kit.services import Services
from api.realtime.hub import MAX_BACKLOG
from api.votes.service import publish_scores
from models import CommentState, SanctionKind
from tests.client import Client, Person, expect, expect_problem
from tests.conftest import Process
from tests.credentials import restrict
from tests.lifecycle import add_comment, change_states
from tests.streams import Told, listening
from tests.working import work_off


def list_told(told: list[Told]) -> list[tuple[int, dict[str, Any]]]:
    """Return of each change its id and what is in it."""
    for one in told:
        assert one.event == "change"
        assert one.data["version"] == one.id
    return [(one.id, {name: value for name, value in one.data.items() if value}) for one in told]


async def test_each_public_version_is_told_once_on_whichever_process(
    client: Client,
    app: FastAPI,
    services: Services,
    start_process: Callable[[], Awaitable[Process]],
    make_staff: Callable[[str], Awaitable[Person]],
) -> None:
    author, reader = await client.join(), await client.join()
    other = await start_process()
    article = await author.post_article()
    path = f"/v1/articles/{article['slug']}/events"
    async with listening(app, path) as here, listening(other.app, path) as there:
        assert here.status == 200
        assert here.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert here.headers["x-accel-buffering"] == "no"
        assert here.headers["cache-control"] == "no-store"
        assert "content-encoding" not in here.headers
        assert here.parser.last_id == 0
        first = await author.reply(article["id"])
        second = await author.reply(article["id"], parent=first["id"])
        await author.edit_anyway(second["id"], "Changed.")
        # Nobody sees it, so nothing is told but the next version.
        held = await add_comment(services, author, article["id"], None, CommentState.PENDING)
        expect(await reader.client.put(f"/v1/comments/{first['id']}/vote", {"value": 1}), 200)
        await publish_scores(services)
        await change_states(services, article["id"], [held], CommentState.VISIBLE)
        await change_states(services, article["id"], [second["id"]], CommentState.HIDDEN)
        await change_states(services, article["id"], [second["id"]], CommentState.VISIBLE)
        await author.take_back_anyway(second["id"])
        for stream in (here, there):
            told = list_told(await stream.wait_for(8))
            base = {"article_id": article["id"]}
            assert told == [
                (number, {**base, "version": number, **change})
                for number, change in (
                    (1, {"created": [first["id"]]}),
                    (2, {"created": [second["id"]]}),
                    (3, {"edited": [second["id"]]}),
                    (5, {"scored": [first["id"]]}),
                    (6, {"created": [held]}),
                    (7, {"removed": [second["id"]]}),
                    (8, {"restored": [second["id"]]}),
                    (9, {"removed": [second["id"]]}),
                )
            ]
    # The worker tells again, and nobody hears it twice.
    async with listening(app, f"{path}?last_event_id=2") as late:
        await work_off(services)
        last = await author.reply(article["id"])
        assert [one.id for one in await late.wait_for(7)] == [3, 5, 6, 7, 8, 9, 10]
        assert late.told[-1].data["created"] == [last["id"]]


async def test_a_stream_begins_where_the_client_was_or_is_reset(
    client: Client, app: FastAPI, services: Services
) -> None:
    author = await client.join()
    article = await author.post_article()
    path = f"/v1/articles/{article['id']}/events"
    for _ in range(4):
        await author.reply(article["id"])
    for query, header, ids in (
        ("", None, []),
        ("?last_event_id=4", None, []),
        ("?last_event_id=2", None, [3, 4]),
        # What a browser sends when it connects again, to the same address.
        ("?last_event_id=2", "3", [4]),
        ("?last_event_id=0", None, [1, 2, 3, 4]),
    ):
        headers = {} if header is None else {"Last_Event_ID": header}
        async with listening(app, path + query, **headers) as stream:
            assert [one.id for one in stream.told] == ids
            assert {one.event for one in stream.told} <= {"change"}
            assert stream.parser.last_id == 4
            assert stream.parser.retry == 3000
    for unknown in ("5", "abc", "-1", "9" * 40, "", "1.0", "\u00b2"):
        async with listening(app, path, Last_Event_ID=unknown) as stream:
            data = {"article_id": article["id"], "version": 4}
            assert stream.told == [Told("reset", 4, data)]
    # Of an article that lost events, and of one that has too many.
    async with services.database.write_session() as session:
        await session.execute(text("DELETE FROM events WHERE version = 2"))
    for after in (0, 1):
        async with listening(app, f"{path}?last_event_id={after}") as stream:
            assert [one.event for one in stream.told] == ["reset"]
            await author.reply(article["id"])
            assert [one.event for one in await stream.wait_for(2)] == ["reset", "change"]
    async with listening(app, f"{path}?last_event_id=2") as stream:
        assert [one.id for one in stream.told] == [3, 4, 5, 6]
    for query in ("?last_event_id=-1", "?last_event_id=x", "?after=1"):
        expect_problem(await client.get(path + query), 422, "validation_failed")


async def test_a_stream_ends_with_what_it_shows_and_with_its_session(
    client: Client, app: FastAPI, services: Services
) -> None:
    author, reader = await client.join(), await client.join()
    article = await author.post_article()
    path = f"/v1/articles/{article['id']}/events"
    again = await client.log_in(reader.handle)
    async with (
        listening(app, path) as anonymous,
        listening(app, path, reader.client) as first,
        listening(app, path, again.client) as second,
    ):
        expect(await reader.client.delete("/v1/sessions/current"), 204)
        await first.wait_for_end()
        assert not second.has_ended
        await restrict(services, reader.id, SanctionKind.BAN)
        async with services.unit_of_work() as uow:
            await log_out_everywhere(uow, UUID(reader.id))
        await second.wait_for_end()
        assert not anonymous.has_ended
        await author.client.delete(f"/v1/articles/{article['id']}", headers={"If-Match": "*"})
        await anonymous.wait_for_end()
        assert [one.data["article"] for one in anonymous.told] == ["removed"]
    expect_problem(await client.get(path), 404, "article_not_found")
    expect_problem(await client.get("/v1/articles/none/events"), 404, "article_not_found")
    expect_problem(await reader.client.get(path), 401, "not_authenticated")


async def test_streams_work_like_any_other_operation(client: Client, app: FastAPI) -> None:
    async def read_timed() -> list[str]:
        text = (await client.get("/metrics")).text
        assert "palaver_streams 0.0" in text
        return re.findall('palaver_request_seconds_count{operation="stream_article"}.*', text)

    article = await (await client.join()).post_article()
    path = f"/v1/articles/{article['id']}/events"
    assert "GET" in (await client.request("OPTIONS", path)).headers["allow"]
    before = await read_timed()
    origin = {"Origin": "http://localhost:5173"}
    head = await client.request("HEAD", path, headers=origin)
    got = await client.get(path, headers=origin)
    assert (head.status_code, head.content) == (200, b"")
    names = ("content-type", "cache-control", "x-accel-buffering")
    assert [head.headers[name] for name in names] == [got.headers[name] for name in names]
    assert await read_timed() == before


async def test_nothing_falls_between_what_was_and_what_will_come(
    client: Client, app: FastAPI
) -> None:
    author = await client.join()
    article = await author.post_article()
    path = f"/v1/articles/{article['id']}/events"
    topics = app.state.hub.articles
    read = topics.read
    async with listening(app, path) as first:

        async def read_and_lose_time(positions: Any, limit: int) -> Any:
            """Read what a new stream missed; before it goes on, all others are told of a reply."""
            found = await read(positions, limit)
            if limit == MAX_BACKLOG:
                await author.reply(article["id"])
                await first.wait_for(1)
            return found

        topics.read = read_and_lose_time
        async with listening(app, path) as second:
            assert [one.id for one in await second.wait_for(1)] == [1]
