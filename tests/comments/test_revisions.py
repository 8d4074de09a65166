"""The texts that a comment had before it was edited, and who may read them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest
from sqlalchemy import text

from api.auth.scopes import Scope
from api.comments.projection import MAX_PAGE_BYTES
from api.kit.services import Services
from models import Audience, CommentState
from tests.client import Client, Person, expect, expect_problem
from tests.credentials import make_api_token
from tests.lifecycle import change_states

MakeStaff = Callable[[str], Awaitable[Person]]
HIDDEN, REMOVED, DELETED = CommentState.HIDDEN, CommentState.REMOVED, CommentState.DELETED


async def show_revisions_to(services: Services, audience: Audience) -> None:
    async with services.unit_of_work() as uow:
        await uow.session.execute(
            text("UPDATE screening_settings SET revisions_visible_to = :to"), {"to": audience.value}
        )


async def test_every_edit_keeps_the_text_before_it(client: Client) -> None:
    author = await client.join()
    article = await author.post_article()
    comment = await author.reply(article["id"], "*One*")
    path = f"/v1/comments/{comment['id']}/revisions"
    assert expect(await client.get(path), 200)["data"] == []
    two = expect(await author.edit(comment["id"], "Two"), 200)
    # The same text again is no edit.
    expect(await author.edit(comment["id"], "Two"), 200)
    three = expect(await author.edit(comment["id"], "Three"), 200)
    response = await client.get(path)
    assert response.headers["cache-control"] == "no-store"
    assert expect(response, 200)["data"] == [
        {"revision": 2, "body": "Two", "html": "<p>Two</p>\n", "replaced_at": three["edited_at"]},
        {
            "revision": 1,
            "body": "*One*",
            "html": "<p><em>One</em></p>\n",
            "replaced_at": two["edited_at"],
        },
    ]


async def test_an_edit_that_fails_keeps_nothing(client: Client) -> None:
    author, other = await client.join(), await client.join()
    article = await author.post_article()
    comment = await author.reply(article["id"])
    stale = (await client.get(f"/v1/comments/{comment['id']}")).headers["etag"]
    expect(await author.edit(comment["id"], "Two"), 200)
    refused = await author.client.patch(
        f"/v1/comments/{comment['id']}", {"body": "Three"}, headers={"If-Match": stale}
    )
    expect_problem(refused, 412, "precondition_failed")
    expect_problem(await other.edit_anyway(comment["id"], "Four"), 403, "not_your_comment")
    revisions = expect(await client.get(f"/v1/comments/{comment['id']}/revisions"), 200)["data"]
    assert [revision["body"] for revision in revisions] == ["I see."]


async def test_revisions_are_read_page_by_page(client: Client) -> None:
    author = await client.join()
    article = await author.post_article()
    comment = await author.reply(article["id"], "0")
    for number in range(1, 6):
        expect(await author.edit_anyway(comment["id"], str(number)), 200)
    path = f"/v1/comments/{comment['id']}/revisions?limit=2"
    bodies, cursor = [], ""
    while cursor is not None:
        page = expect(await client.get(path + cursor), 200)
        bodies.append([revision["body"] for revision in page["data"]])
        cursor = page["page"]["next_cursor"] and f"&cursor={page['page']['next_cursor']}"
    assert bodies == [["4", "3"], ["2", "1"], ["0"]]
    other = await author.reply(article["id"])
    cursor = expect(await client.get(path), 200)["page"]["next_cursor"]
    wrong = await client.get(f"/v1/comments/{other['id']}/revisions?cursor={cursor}")
    expect_problem(wrong, 400, "invalid_cursor")


@dataclass
class Readers:
    """An edited comment with a reply, and everybody who may ask for its revisions."""

    article: str
    comment: str
    clients: dict[str, Client]

    async def read(self) -> dict[str, int | str]:
        """Return what each reader gets: the text before, or a status."""
        path = f"/v1/comments/{self.comment}/revisions"
        got: dict[str, int | str] = {}
        for name, client in self.clients.items():
            response = await client.get(path)
            is_shown = response.status_code == 200
            got[name] = response.json()["data"][0]["body"] if is_shown else response.status_code
        return got


@pytest.fixture
async def readers(client: Client, make_staff: MakeStaff, services: Services) -> Readers:
    author, other, moderator = (
        await client.join(),
        await client.join(),
        await make_staff("moderator"),
    )
    me = expect(await moderator.client.get("/v1/me"), 200)
    without_scope = await make_api_token(services, me["id"], {Scope.COMMENTS_WRITE})
    own_without_scope = await make_api_token(services, author.id, {Scope.COMMENTS_WRITE})
    article = await author.post_article()
    comment = await author.reply(article["id"], "before")
    expect(await author.edit(comment["id"], "after"), 200)
    await other.reply(article["id"], parent=comment["id"])
    clients = {
        "anonymous": client,
        "another": other.client,
        "author": author.client,
        "moderator": moderator.client,
        "moderator's token": Client(client.http, without_scope),
        "author's token": Client(client.http, own_without_scope),
    }
    return Readers(article["id"], comment["id"], clients)


@pytest.mark.parametrize(
    ("audience", "shown_to"),
    [
        (Audience.EVERYBODY, None),
        (Audience.STAFF, {"author", "moderator"}),
        (Audience.NOBODY, {"author"}),
    ],
)
async def test_a_setting_says_who_reads_revisions(
    readers: Readers, services: Services, audience: Audience, shown_to: set[str] | None
) -> None:
    await show_revisions_to(services, audience)
    shown_to = set(readers.clients) if shown_to is None else shown_to
    assert await readers.read() == {
        name: "before" if name in shown_to else 403 for name in readers.clients
    }


@pytest.mark.parametrize(
    ("state", "audience", "shown_to"),
    [
        (HIDDEN, Audience.EVERYBODY, {"author", "moderator"}),
        (REMOVED, Audience.EVERYBODY, {"author", "moderator"}),
        (REMOVED, Audience.NOBODY, {"author"}),
        (DELETED, Audience.EVERYBODY, set[str]()),
    ],
)
async def test_the_revisions_of_a_text_that_is_not_shown_are_not_shown_either(
    readers: Readers,
    services: Services,
    state: CommentState,
    audience: Audience,
    shown_to: set[str],
) -> None:
    await show_revisions_to(services, audience)
    await change_states(services, readers.article, [readers.comment], state)
    assert await readers.read() == {
        name: "before" if name in shown_to else 404 for name in readers.clients
    }


async def test_with_its_article_the_revisions_of_a_comment_are_gone(readers: Readers) -> None:
    author = readers.clients["author"]
    deleted = await author.delete(f"/v1/articles/{readers.article}", headers={"If-Match": "*"})
    expect(deleted, 204)
    assert set((await readers.read()).values()) == {404}


async def test_a_page_has_a_budget_of_bytes(client: Client, services: Services) -> None:
    author = await client.join()
    comment = await author.reply((await author.post_article())["id"])
    many = text("""
        INSERT INTO comment_revisions (comment_id, revision, body, html, created_at)
        SELECT :id, n, repeat(chr(128512), 10000), repeat(chr(128512), 10000), now()
        FROM generate_series(1, 30) n
    """)
    async with services.database.write_session() as session:
        await session.execute(many, {"id": comment["id"]})
    path, seen = f"/v1/comments/{comment['id']}/revisions?limit=20", []
    cursor = ""
    while cursor is not None:
        response = await client.get(path + cursor)
        page = expect(response, 200)
        assert 0 < len(page["data"]) < 20
        assert len(response.content) < 1.2 * MAX_PAGE_BYTES
        seen += [one["revision"] for one in page["data"]]
        following = page["page"]["next_cursor"]
        cursor = f"&cursor={following}" if following else None
    assert seen == list(range(30, 0, -1))
