"""Importing a thread again: nothing twice, and only what is new."""

import asyncio
import copy
from typing import Any

import pytest
from sqlalchemy import text

from api.kit.services import Services
from api.transfer.service import ImportReport
from api.transfer.thread_file import ThreadFileError
from models import CommentState
from tests.client import Client, expect, flatten
from tests.lifecycle import change_states
from tests.transfer.conftest import SLUG, BringIn, CountRows

Thread = dict[str, Any]


def lengthen(thread: Thread) -> Thread:
    longer = copy.deepcopy(thread)
    longer["comments"] += [
        {"n": 9, "author": "Lea", "replies_to": 4, "body": "@Kim Larsen is right, @riverwatch."},
        {"n": 10, "author": "Kim Larsen", "replies_to": 9, "body": "Thanks, @Lea."},
        {"n": 11, "author": None, "replies_to": None, "body": "The end."},
    ]
    return longer


async def test_the_same_file_again_adds_nothing(
    client: Client, thread: Thread, bring_in: BringIn, count_rows: CountRows
) -> None:
    first = await bring_in(thread)
    before = await count_rows(), await client.tree(SLUG)
    again = await bring_in(thread)
    assert (again.article_id, again.slug) == (first.article_id, first.slug)
    assert (again.added, again.known) == (0, 8)
    assert (await count_rows(), await client.tree(SLUG)) == before


async def test_a_longer_file_adds_what_is_new(
    client: Client, thread: Thread, bring_in: BringIn
) -> None:
    await bring_in(thread)
    before = {node["id"] for node in flatten((await client.tree(SLUG, depth=10))["data"])}
    report = await bring_in(lengthen(thread))
    assert (report.added, report.known) == (3, 8)
    tree = await client.tree(SLUG, sort="old", depth=10)
    nodes = {node["body"]: node for node in flatten(tree["data"])}
    assert tree["version"] == 2
    assert before < {node["id"] for node in nodes.values()}
    assert len(nodes) == 11
    ninth = nodes["@Kim Larsen is right, @riverwatch."]
    assert ninth["parent_id"] == nodes[thread["comments"][3]["body"]]["id"]
    assert [m["handle"] for m in ninth["mentions"]] == ["kim-larsen", "riverwatch"]
    tenth = nodes["Thanks, @Lea."]
    assert (tenth["parent_id"], tenth["author"]["handle"]) == (ninth["id"], "kim-larsen")
    article = expect(await client.get(f"/v1/articles/{SLUG}"), 200)
    assert article["comment_count"] == 11
    assert article["last_activity_at"] == nodes["The end."]["created_at"]


async def test_a_reader_of_the_old_thread_gets_the_new_one(
    client: Client, thread: Thread, bring_in: BringIn
) -> None:
    await bring_in(thread)
    old = await client.get(f"/v1/articles/{SLUG}/comments")
    await bring_in(lengthen(thread))
    known = {"If-None-Match": old.headers["etag"]}
    expect(await client.get(f"/v1/articles/{SLUG}/comments", headers=known), 200)


async def test_what_people_did_meanwhile_stays(
    client: Client, thread: Thread, bring_in: BringIn
) -> None:
    await bring_in(thread)
    person = await client.join()
    reply = await person.reply(SLUG, "From here.")
    await bring_in(lengthen(thread))
    article = expect(await client.get(f"/v1/articles/{SLUG}"), 200)
    assert article["comment_count"] == 12
    assert article["last_activity_at"] == reply["created_at"]
    assert (await bring_in(lengthen(thread))).added == 0


async def test_what_was_deleted_here_does_not_come_back(
    client: Client, services: Services, thread: Thread, bring_in: BringIn, count_rows: CountRows
) -> None:
    article = str((await bring_in(thread)).article_id)
    # A moderator removes the fourth and the last.
    gone = text("SELECT id FROM comments WHERE external_id IN ('4', '8')")
    async with services.database.read_session() as session:
        comments = [str(comment_id) for comment_id in await session.scalars(gone)]
    await change_states(services, article, comments, CommentState.REMOVED)
    assert (await bring_in(thread)).added == 0
    before = await count_rows()
    with pytest.raises(
        ThreadFileError, match="comment 9 replies to 4, which is no longer shown here"
    ):
        await bring_in(lengthen(thread))
    assert await count_rows() == before


async def test_a_deleted_article_is_not_imported_anew(
    client: Client, services: Services, thread: Thread, bring_in: BringIn, count_rows: CountRows
) -> None:
    await bring_in(thread)
    async with services.database.write_session() as session:
        await session.execute(text("UPDATE articles SET deleted_at = now(), state = 'deleted'"))
    before = await count_rows()
    with pytest.raises(ThreadFileError, match="imported before, and deleted here"):
        await bring_in(thread)
    assert await count_rows() == before


async def test_two_imports_at_once_bring_nothing_twice(
    client: Client, thread: Thread, bring_in: BringIn
) -> None:
    results = await asyncio.gather(*(bring_in(thread) for _ in range(4)), return_exceptions=True)
    done = [result for result in results if isinstance(result, ImportReport)]
    refused = [str(result) for result in results if not isinstance(result, ImportReport)]
    assert max(report.added for report in done) == 8
    assert sum(report.added for report in done) == 8
    assert set(refused) <= {"another import is running. Try again when it has ended."}
    assert (await bring_in(thread)).added == 0
    assert len(expect(await client.get("/v1/articles"), 200)["data"]) == 1
    assert len(flatten((await client.tree(SLUG))["data"])) == 8


async def test_another_title_day_or_author_is_another_article(
    client: Client, thread: Thread, bring_in: BringIn
) -> None:
    reports = [await bring_in(thread)]
    for field, value in (("title", "Other"), ("published_on", "2019-05-05"), ("author", None)):
        other = copy.deepcopy(thread)
        other["article"][field] = value
        reports.append(await bring_in(other))
    assert [report.added for report in reports] == [8] * 4
    assert [report.slug for report in reports] == [SLUG, "other", f"{SLUG}-2", f"{SLUG}-3"]


async def test_no_client_can_take_an_import_s_place(
    client: Client, thread: Thread, bring_in: BringIn
) -> None:
    await bring_in(thread)
    person = await client.join()
    taken = expect(await client.get(f"/v1/articles/{SLUG}"), 200)["external_id"]
    answer = await person.client.post("/v1/articles", {"title": "T", "external_id": taken})
    expect(answer, 422)
