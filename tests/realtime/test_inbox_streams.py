"""The stream of an inbox, and the tickets with which a browser opens it."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from fastapi import FastAPI
from sqlalchemy import text

from api.auth.tokens import make_ticket
from api.kit.services import Services
from models import CommentState
from tests.client import Client, expect, expect_problem
from tests.conftest import MovableClock, Process
from tests.credentials import make_api_token
from tests.lifecycle import change_states
from tests.streams import listening
from tests.working import run_jobs


async def test_an_inbox_tells_what_comes_in_on_whichever_process(
    client: Client,
    app: FastAPI,
    services: Services,
    start_process: Callable[[], Awaitable[Process]],
) -> None:
    author, friend = await client.join(), await client.join()
    other = await start_process()
    article = await author.post_article()
    async with (
        listening(app, "/v1/me/events", author.client) as here,
        listening(other.app, "/v1/me/events", author.client) as there,
        listening(app, "/v1/me/events", friend.client) as of_friend,
    ):
        assert here.parser.last_id == 0
        first = await friend.reply(article["id"])
        second = await friend.reply(article["id"])
        reply = await author.reply(article["id"], parent=second["id"])
        for stream in (here, there):
            told = await stream.wait_for(2)
            assert [one.event for one in told] == ["notification"] * 2
            assert [one.id for one in told] == [1, 2]
            assert [one.data["comment_id"] for one in told] == [first["id"], second["id"]]
        (told_friend,) = await of_friend.wait_for(1)
        assert told_friend.data == {
            "number": 1,
            "id": told_friend.data["id"],
            "kind": "comment_reply",
            "article_id": article["id"],
            "comment_id": reply["id"],
        }
    # What cannot be seen is not told, and its number is not missed.
    await change_states(services, article["id"], [first["id"]], CommentState.HIDDEN)
    for query, ids in (("?last_event_id=0", [2]), ("?last_event_id=2", [])):
        async with listening(app, f"/v1/me/events{query}", author.client) as stream:
            assert [one.id for one in stream.told] == ids
            assert stream.parser.last_id == 2
    async with listening(app, "/v1/me/events?last_event_id=9", author.client) as stream:
        assert [(one.event, one.data) for one in stream.told] == [("reset", {"number": 2})]
    # A wake-up that got lost.
    async with listening(app, "/v1/me/events", author.client) as stream:
        async with services.database.write_session() as session:
            await session.execute(
                text(
                    "INSERT INTO notifications (id, user_id, number, kind, object_id, group_id,"
                    " created_at) VALUES (gen_random_uuid(), :id, 3, 'webhook_disabled',"
                    " gen_random_uuid(), gen_random_uuid(), now())"
                ),
                {"id": UUID(author.id)},
            )
            await session.execute(text("UPDATE inboxes SET last_number = last_number + 1"))
        (late,) = await stream.wait_for(1)
        assert (late.id, late.data["kind"]) == (3, "webhook_disabled")


async def test_a_ticket_opens_one_stream_for_a_minute(
    client: Client, app: FastAPI, services: Services, clock: MovableClock
) -> None:
    person = await client.join()

    async def get_ticket(client: Client) -> str:
        made = expect(await client.post("/v1/stream-tickets"), 201)
        assert made["expires_in"] == 60
        assert made["ticket"].startswith("pal_st_")
        return f"/v1/me/events?ticket={made['ticket']}"

    path = await get_ticket(person.client)
    async with listening(app, path) as stream:
        assert stream.status == 200
        # It is used up, also for other operations, and no access token.
        expect_problem(await client.get(path), 401, "not_authenticated")
        ticket = path.partition("=")[2]
        assert (await Client(client.http, ticket).get("/v1/me")).status_code == 401
        # The session that made it ends.
        expect(await person.client.delete("/v1/sessions/current"), 204)
        await stream.wait_for_end()
    person = await client.log_in(person.handle, person.user)
    expired = await get_ticket(person.client)
    clock.advance(seconds=61)
    for refused in (
        expired,
        f"/v1/me/events?ticket={make_ticket()}",
        "/v1/me/events?ticket=x",
        "/v1/me/events",
    ):
        expect_problem(await client.get(refused), 401, "not_authenticated")
    await run_jobs(services)
    async with services.database.read_session() as session:
        assert await session.scalar(text("SELECT count(*) FROM stream_tickets")) == 0
    # With less than a session may: the stream ends with the token, and a ticket covers no more.
    reading = await make_api_token(services, person.id, ["notifications:read"])
    path = await get_ticket(Client(client.http, reading))
    async with listening(app, path) as stream:
        async with services.database.write_session() as session:
            await session.execute(text("DELETE FROM credentials WHERE kind = 'api_token'"))
        await stream.wait_for_end()
