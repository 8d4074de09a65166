"""One request, one transaction, on the real app: what commits, when, and what follows it."""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.testing import capture_logs

from api.comments.errors import ParentGone
from api.comments.events import CommentCreated, CommentEdited
from api.kit.db.database import sqlstate_of
from api.kit.db.unit_of_work import UnitOfWork
from api.kit.effects import Effect
from api.kit.services import Services
from api.users.events import ProfileChanged
from models import User
from tests.client import Client, Person, expect, expect_problem
from tests.effects import replace_effect
from tests.kit.conftest import OpenClient


def with_effect(services: Services, **reactions: Callable[..., Awaitable[None]]) -> Services:
    """Return services in which only this follows from a new comment."""
    effect = Effect(event=CommentCreated, **{name: (react,) for name, react in reactions.items()})
    return dataclasses.replace(services, reactions=replace_effect(effect))


async def count(services: Services, table: str) -> int:
    async with services.database.read_session() as session:
        return int(await session.scalar(text(f"SELECT count(*) FROM {table}")) or 0)


async def read_article(client: Client, article: dict[str, Any]) -> dict[str, Any]:
    read: dict[str, Any] = expect(await client.get(f"/v1/articles/{article['id']}"), 200)
    return read


async def start_thread(client: Client) -> tuple[Person, dict[str, Any]]:
    person = await client.join()
    return person, await person.post_article()


async def test_the_commit_comes_before_the_answer(
    services: Services, open_client: OpenClient
) -> None:
    seen_at_start: list[int] = []

    def watch(app: ASGIApp) -> ASGIApp:
        async def watching(scope: Scope, receive: Receive, send: Send) -> None:
            async def send_watched(message: Message) -> None:
                if message["type"] == "http.response.start" and scope["path"].endswith("comments"):
                    seen_at_start.append(await count(services, "comments"))
                await send(message)

            await app(scope, receive, send_watched)

        return watching

    async with open_client(services, around=watch) as client:
        person, article = await start_thread(client)
        await person.reply(article["id"])
        await person.reply(article["id"])
    assert seen_at_start == [1, 2]


async def test_a_commit_that_fails_is_not_answered_with_success(
    client: Client, services: Services
) -> None:
    person, article = await start_thread(client)

    def fail(_: object) -> None:
        raise RuntimeError("no commit today")

    writer = services.database.writer.sync_engine
    event.listen(writer, "commit", fail)
    try:
        refused = await person.client.post(
            f"/v1/articles/{article['id']}/comments", {"body": "Lost."}
        )
    finally:
        event.remove(writer, "commit", fail)
    expect_problem(refused, 500, "internal_error")
    assert await count(services, "comments") == 0
    assert await read_article(client, article) == article
    assert (await person.reply(article["id"]))["version"] == article["version"] + 1


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [(RuntimeError("a defect"), 500, "internal_error"), (ParentGone(), 409, "parent_gone")],
)
async def test_a_reaction_that_fails_in_the_transaction_leaves_no_row(
    services: Services, open_client: OpenClient, error: Exception, status: int, code: str
) -> None:
    async def fail(_: UnitOfWork, __: CommentCreated) -> None:
        raise error

    async with open_client(with_effect(services, in_transaction=fail)) as client:
        person, article = await start_thread(client)
        events = await count(services, "events")
        refused = await person.client.post(
            f"/v1/articles/{article['id']}/comments",
            {"body": f"Hello @{person.handle}"},
            headers={"Idempotency-Key": "one"},
        )
        expect_problem(refused, status, code)
        for table in ("comments", "comment_mentions", "idempotency_keys"):
            assert await count(services, table) == 0, table
        assert await count(services, "events") == events
        assert await read_article(client, article) == article


async def test_a_hook_that_fails_after_the_commit_is_logged_and_changes_no_answer(
    services: Services, open_client: OpenClient
) -> None:
    async def fail(_: Services, __: CommentCreated) -> None:
        raise RuntimeError("no nudge today")

    async with open_client(with_effect(services, after_commit=fail)) as client:
        person, article = await start_thread(client)
        with capture_logs() as logs:
            comment = await person.reply(article["id"])
        assert [log["event_type"] for log in logs if log["event"] == "after_commit_failed"] == [
            "comment_created"
        ]
        expect(await client.get(f"/v1/comments/{comment['id']}"), 200)


async def test_a_hook_after_the_commit_sees_the_change_and_one_before_it_is_part_of_it(
    services: Services, open_client: OpenClient
) -> None:
    seen: list[tuple[str, int]] = []

    async def look_within(_: UnitOfWork, __: CommentCreated) -> None:
        seen.append(("in transaction", await count(services, "comments")))

    async def look_after(_: Services, __: CommentCreated) -> None:
        seen.append(("after commit", await count(services, "comments")))

    changed = with_effect(services, in_transaction=look_within, after_commit=look_after)
    async with open_client(changed) as client:
        person, article = await start_thread(client)
        await person.reply(article["id"])
    assert seen == [("in transaction", 0), ("after commit", 1)]


async def test_what_a_reaction_changes_in_an_object_is_written(
    services: Services, open_client: OpenClient
) -> None:
    async def rename(uow: UnitOfWork, event: CommentCreated) -> None:
        user = await uow.session.get_one(User, event.author_id)
        user.display_name = "Renamed"

    async with open_client(with_effect(services, in_transaction=rename)) as client:
        person, article = await start_thread(client)
        await person.reply(article["id"])
        profile = expect(await client.get(f"/v1/users/{person.user['handle']}"), 200)
    assert profile["display_name"] == "Renamed"


async def test_a_reaction_may_emit_and_its_event_is_kept_too(
    services: Services, open_client: OpenClient
) -> None:
    async def emit_another(uow: UnitOfWork, event: CommentCreated) -> None:
        uow.emit(
            CommentEdited(
                article_id=event.article_id,
                version=event.version + 1,
                comment_id=event.comment_id,
                mentioned_ids=(),
            )
        )

    async with open_client(with_effect(services, in_transaction=emit_another)) as client:
        person, article = await start_thread(client)
        await person.reply(article["id"])
        async with services.database.read_session() as session:
            types = await session.scalars(text("SELECT type FROM events ORDER BY id DESC LIMIT 2"))
        assert set(types) == {"comment_created", "comment_edited"}


async def test_an_event_is_written_in_the_transaction_of_its_change(
    client: Client, services: Services
) -> None:
    person, article = await start_thread(client)
    comment = await person.reply(article["id"])
    statement = text(
        "SELECT c.xmin::text AS of_comment, e.xmin::text AS of_event, e.version, e.payload "
        "FROM comments c JOIN events e ON e.payload->>'comment_id' = c.id::text WHERE c.id = :id"
    )
    async with services.database.read_session() as session:
        row = (await session.execute(statement, {"id": comment["id"]})).one()
    assert row.of_comment == row.of_event
    assert row.version == comment["version"]
    assert "body" not in row.payload


async def test_the_versions_of_a_thread_have_no_gap_also_when_people_reply_at_once(
    client: Client, services: Services
) -> None:
    person, article = await start_thread(client)
    comments = await asyncio.gather(*(person.reply(article["id"]) for _ in range(8)))
    expect(await person.edit(comments[0]["id"], "Changed."), 200)
    expect(await person.take_back(comments[1]["id"]), 204)
    missing = {"body": "Nowhere.", "parent_id": article["id"]}
    path = f"/v1/articles/{article['id']}/comments"
    expect_problem(await person.client.post(path, missing), 404, "parent_not_found")
    statement = text(
        "SELECT version FROM events WHERE article_id = :id AND version IS NOT NULL ORDER BY id"
    )
    async with services.database.read_session() as session:
        versions = list(await session.scalars(statement, {"id": article["id"]}))
    now = (await read_article(client, article))["version"]
    assert versions == list(range(article["version"], now + 1))
    assert now == article["version"] + 10


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM users",
        "WITH gone AS (DELETE FROM users RETURNING id) SELECT * FROM gone",
        "CREATE TABLE notes (id int)",
        "SELECT * FROM users FOR UPDATE",
    ],
)
async def test_postgres_refuses_a_write_through_a_reading_session(
    services: Services, statement: str
) -> None:
    with pytest.raises(DBAPIError) as refusal:
        async with services.database.read_session() as session:
            await session.execute(text(statement))
    assert sqlstate_of(refusal.value) == "25006"
    await services.close()


async def test_what_is_refused_before_its_first_statement_takes_no_connection(
    client: Client, services: Services
) -> None:
    taken: list[object] = []

    def note(*connection: object) -> None:
        taken.append(connection)

    pool = services.database.writer.sync_engine.pool
    event.listen(pool, "checkout", note)
    try:
        refused = await client.post("/v1/users", {"handle": "x"})
        unknown = await client.post("/v1/articles", {"title": "Mine"})
    finally:
        event.remove(pool, "checkout", note)
    expect_problem(refused, 422, "validation_failed")
    expect_problem(unknown, 401, "not_authenticated")
    assert taken == []


@pytest.mark.parametrize(
    ("keeps_changes", "raised", "is_kept"),
    [
        (False, ParentGone, False),
        (True, ParentGone, True),
        # Whatever nobody expected leaves nothing half done.
        (True, RuntimeError, False),
    ],
)
async def test_a_refusal_is_committed_only_where_that_was_asked_for(
    client: Client,
    services: Services,
    keeps_changes: bool,
    raised: type[Exception],
    is_kept: bool,
) -> None:
    person = await client.join()
    before = await count(services, "events")

    async def refuse() -> None:
        async with services.unit_of_work() as uow:
            user = await uow.session.get_one(User, person.id)
            user.display_name = "Changed"
            uow.emit(ProfileChanged(user_id=user.id))
            if keeps_changes:
                uow.keep_changes()
            raise raised

    with pytest.raises(raised):
        await refuse()
    shown = expect(await client.get(f"/v1/users/{person.handle}"), 200)["display_name"]
    assert (shown == "Changed") is is_kept
    assert await count(services, "events") == before + is_kept
