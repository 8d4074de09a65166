"""Who may do what: every operation of the document, by everybody who can ask.

A new operation without its row fails. Each cell is asked for real, with things made for it alone,
so that what one is allowed to destroy is there for the next.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from tests.client import PASSWORD, Client, Person, expect

ACTORS = ("anonymous", "another", "owner", "moderator")
NOBODY, ANOTHER, OWNER, MODERATOR = range(4)


@dataclass(frozen=True)
class Row:
    """How to ask, and what anonymous, another, the owner and a moderator are answered."""

    anonymous: int
    another: int
    owner: int
    moderator: int
    body: Any = None
    query: str = ""

    @property
    def statuses(self) -> tuple[int, int, int, int]:
        return (self.anonymous, self.another, self.owner, self.moderator)


def everybody(status: int, **asked: Any) -> Row:
    return Row(status, status, status, status, **asked)


def members(status: int, **asked: Any) -> Row:
    return Row(401, status, status, status, **asked)


# What the path names belongs to the owner. `{...}` in a body is filled like one in a path.
TABLE: dict[str, Row] = {
    "read_liveness": everybody(200),
    "read_readiness": everybody(200),
    "read_metrics": everybody(200),
    "create_session": everybody(201, body={"login": "{handle}", "password": PASSWORD}),
    "refresh_session": everybody(201, body={"refresh_token": "{refresh_token}"}),
    "list_sessions": members(200),
    "delete_session": Row(401, 404, 204, 404),
    "create_user": everybody(
        201, body={"handle": "{new}", "email": "{new}@example.com", "password": PASSWORD}
    ),
    "complete_users": everybody(200, query="?prefix=ol"),
    "read_user": everybody(200),
    "list_comments_of_user": everybody(200),
    "read_me": members(200),
    "update_me": members(200, body={"display_name": "Somebody Else"}),
    "change_password": members(204, body={"current_password": PASSWORD, "new_password": PASSWORD}),
    "create_article": members(201, body={"title": "New"}),
    "list_articles": everybody(200),
    "read_article": everybody(200),
    "update_article": Row(401, 403, 200, 200, body={"title": "Changed"}),
    "delete_article": Row(401, 403, 204, 204),
    "upsert_article": Row(401, 403, 200, 200, body={"title": "Changed"}),
    "vote_on_article": Row(401, 200, 403, 200, body={"value": 1}),
    "read_viewer": members(200),
    "create_comment": members(201, body={"body": "I see.", "parent_id": "{comment_id}"}),
    "read_tree": everybody(200),
    "list_flat": everybody(200),
    "read_comment": everybody(200),
    "read_replies": everybody(200),
    "read_context": everybody(200),
    # A moderator takes back what others wrote, and puts no words into their mouths.
    "update_comment": Row(401, 403, 200, 403, body={"body": "Changed."}),
    "delete_comment": Row(401, 403, 204, 204),
    "vote_on_comment": Row(401, 200, 403, 200, body={"value": -1}),
    "preview_mentions": members(200, body={"article": "{article}", "body": "@{handle}"}),
    # The last one: nobody is logged in afterwards.
    "delete_current_session": members(204),
}
# Of these nothing is left to see once they were taken back; what may be seen comes first.
GONE_WITH_THE_ARTICLE = {"{article}", "{comment_id}"}


@dataclass
class World:
    """The people, and whatever each request needs made anew."""

    clients: tuple[Client, ...]
    owner: Person
    made: int = 0
    values: dict[str, str] = field(default_factory=dict)

    async def refill(self) -> None:
        """Make new things of the owner's, under new names."""
        if (await self.owner.client.get("/v1/me")).status_code == 401:
            self.owner = await self.owner.client.log_in("olga", self.owner.user)
        self.made += 1
        external_id = f"site-{self.made}"
        article = await self.owner.post_article(external_id=external_id)
        comment = await self.owner.reply(article["id"])
        self.values = {
            "{article}": article["slug"],
            "{comment_id}": comment["id"],
            "{external_id}": external_id,
            "{handle}": self.owner.handle,
            "{new}": f"new-{self.made}",
        }

    async def log_the_owner_in(self) -> None:
        """Make one more login of the owner's."""
        again = await self.owner.client.log_in(self.owner.handle)
        self.values["{refresh_token}"] = again.tokens["refresh_token"]
        logins = expect(await again.client.get("/v1/sessions"), 200)["data"]
        (login,) = (login for login in logins if login["is_current"])
        self.values["{session_id}"] = login["id"]

    def fill(self, value: Any) -> Any:
        """Put the things of this turn in where a text names them."""
        if isinstance(value, dict):
            return {name: self.fill(part) for name, part in value.items()}
        if isinstance(value, str):
            for name, filling in self.values.items():
                value = value.replace(name, filling)
        return value

    async def ask(self, actor: int, method: str, path: str, row: Row) -> int:
        """Return the status of the answer."""
        headers = {"If-Match": "*"} if method in {"patch", "delete"} else {}
        body = {} if row.body is None else {"json": self.fill(row.body)}
        response = await self.clients[actor].request(
            method.upper(), self.fill(path) + row.query, headers=headers, **body
        )
        return response.status_code


async def make_world(client: Client, make_staff: Callable[[str], Awaitable[Person]]) -> World:
    owner, another = await client.join("olga"), await client.join("anna")
    moderator = await make_staff("moderator")
    return World((client, another.client, owner.client, moderator.client), owner)


async def test_everybody_may_do_exactly_what_the_table_says(
    client: Client, make_staff: Callable[[str], Awaitable[Person]], document: dict[str, Any]
) -> None:
    places = {
        operation["operationId"]: (method, path)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }
    assert set(places) == set(TABLE), "a new operation needs its row"
    world = await make_world(client, make_staff)
    wrong, is_changed = [], True
    for name, row in TABLE.items():
        method, path = places[name]
        for actor, expected in enumerate(row.statuses):
            if is_changed:
                await world.refill()
            is_changed = method != "get"
            if name in {"delete_session", "refresh_session"}:
                await world.log_the_owner_in()
            status = await world.ask(actor, method, path, row)
            if status != expected:
                wrong.append(f"{name} by {ACTORS[actor]}: {status}, not {expected}")
    assert wrong == []


async def test_nobody_sees_or_changes_what_was_taken_back(
    client: Client, make_staff: Callable[[str], Awaitable[Person]], document: dict[str, Any]
) -> None:
    world = await make_world(client, make_staff)
    await world.refill()
    article = world.fill("/v1/articles/{article}")
    expect(await world.owner.client.delete(article, headers={"If-Match": "*"}), 204)
    wrong = []
    for path, item in document["paths"].items():
        for method, operation in item.items():
            row = TABLE[operation["operationId"]]
            text = path + str(row.body)
            if not any(name in text for name in GONE_WITH_THE_ARTICLE):
                continue
            for actor, allowed in enumerate(row.statuses):
                status = await world.ask(actor, method, path, row)
                if status != (401 if allowed == 401 else 404):
                    wrong.append(f"{operation['operationId']} by {ACTORS[actor]}: {status}")
    assert wrong == []
