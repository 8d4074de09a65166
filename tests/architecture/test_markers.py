"""Text that is not public appears in no response to anyone who may not see it.

Every comment that is pending, hidden, removed or deleted has a word in it that stands nowhere else,
in its text and in the text before an edit; so have an article that was removed and one that was
deleted. Everybody sends every operation of the document, at each of these comments. The words that
come back, in bodies and in headers, are exactly those that the operation's row names.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx

from api.articles import lifecycle as articles
from api.articles.queries import lock_article, refers_to
from api.auth.scopes import Scope
from api.kit.services import Services
from models import ArticleState, CommentState, SanctionKind
from tests.architecture.test_permissions import LOCAL, TABLE, Row, find_places
from tests.client import Client, Person, expect
from tests.conftest import Process
from tests.credentials import make_api_token, restrict
from tests.lifecycle import add_comment, change_states

PENDING, HIDDEN = CommentState.PENDING, CommentState.HIDDEN
REMOVED, DELETED = CommentState.REMOVED, CommentState.DELETED
NOT_PUBLIC = (PENDING, HIDDEN, REMOVED, DELETED)

# They end with what others need: first what leaves all as it is, last what ends a login.
LAST = (
    *("delete_comment", "upsert_article", "delete_article"),
    *("change_password", "delete_session", "delete_current_session"),
)
STAFF = {"moderator", "admin"}
# By a tag of the article.
LOCAL_MODERATOR = "moderator of the article"
AT_ANOTHER_PROCESS = ("moderator", "author", "anonymous")
SHADOW_BANNED = SanctionKind.SHADOW_BAN.value


def make_marker(what: str) -> str:
    """Return a word that no slug, excerpt or escape changes."""
    return f"zq{what}qz"


MARKERS = {state: make_marker(state.value) for state in NOT_PUBLIC}
# Of a person who is shown it as if everybody were.
SHADOW = make_marker("shadow")
# Of articles that are gone: nobody sees them.
GONE = make_marker("gone")


@dataclass
class Exhibition:
    """What is not public, who may ask for it, and what they got."""

    clients: dict[str, Client]
    values: dict[str, str]
    # By state: comments without replies, and comments with one, which are placeholders.
    comments: dict[CommentState, list[str]]
    made: int = 0
    # (operation, actor) -> the markers that came back.
    seen: dict[tuple[str, str], set[str]] = field(default_factory=dict)

    def list_targets(self, path: str, row: Row) -> list[str]:
        """Return the comments that an operation is sent at."""
        if "{comment_id}" not in path + str(row.body):
            return [""]
        return [comment for state in NOT_PUBLIC for comment in self.comments[state]]

    async def send(self, client: Client, method: str, path: str, row: Row, target: str) -> Any:
        self.made += 1
        values = {**self.values, "{comment_id}": target, "{new}": f"new-{self.made}"}
        headers = {} if method == "get" else {"If-Match": "*"}
        body = {} if row.body is None else {"json": fill(row.body, values)}
        return await client.request(
            method.upper(), fill(path + row.query, values), headers=headers, **body
        )

    async def send_as_all(self, name: str, method: str, path: str) -> None:
        """Let everybody send an operation at every target, and keep which markers come back."""
        row = TABLE[name]
        for actor, client in self.clients.items():
            for target in self.list_targets(path, row):
                response = await self.send(client, method, path, row, target)
                self.seen.setdefault((name, actor), set()).update(find_markers(response))

    def find_leaks(self) -> list[str]:
        return [
            f"{name} shows {actor}: {sorted(found - allowed)}"
            for (name, actor), found in self.seen.items()
            if found - (allowed := find_allowed(name, actor))
        ]

    def find_stale_rows(self) -> list[str]:
        """Return what rows name that nobody is shown; of shadow bans the queue says nothing."""
        return [
            f"{name} does not show {actor}: {sorted(allowed - found)}"
            for (name, actor), found in self.seen.items()
            if (allowed := find_allowed(name, actor) - {SHADOW}) - found
        ]


def fill(value: Any, values: dict[str, str]) -> Any:
    """Put values in where a text names them."""
    if isinstance(value, dict):
        return {name: fill(part, values) for name, part in value.items()}
    if isinstance(value, list):
        return [fill(part, values) for part in value]
    if isinstance(value, str):
        for name, filling in values.items():
            value = value.replace(name, filling)
    return value


def find_markers(response: httpx.Response) -> set[str]:
    text = response.text + str(response.headers.multi_items())
    return {marker for marker in (*MARKERS.values(), SHADOW, GONE) if marker in text}


def find_allowed(name: str, actor: str) -> set[str]:
    row = TABLE[name]
    allowed: Iterable[CommentState] = ()
    if actor == "author":
        allowed = row.shows_author
    elif actor in STAFF or (actor == LOCAL_MODERATOR and row.statuses[LOCAL] == row.moderator):
        allowed = row.shows_staff
    shown = {MARKERS[state] for state in allowed}
    if actor == SHADOW_BANNED:
        return {SHADOW} if PENDING in row.shows_author else shown
    moderates = actor in {*STAFF, LOCAL_MODERATOR}
    return shown | {SHADOW} if moderates and PENDING in allowed else shown


async def gather_actors(
    client: Client, services: Services, make_staff: Callable[[str], Awaitable[Person]]
) -> tuple[Person, dict[str, Client]]:
    author, another = await client.join("olga"), await client.join("anna")
    moderator, admin = await make_staff("moderator"), await make_staff("admin")
    local = await client.join("lena")
    expect(await admin.client.put("/v1/moderators/lena", {"tags": ["tagged"]}), 200)
    clients = {
        "anonymous": client,
        "another": another.client,
        "author": author.client,
        "moderator": moderator.client,
        "admin": admin.client,
        LOCAL_MODERATOR: local.client,
    }
    for kind in (SanctionKind.SILENCE, SanctionKind.BAN, SanctionKind.SHADOW_BAN):
        person = await client.join()
        await restrict(services, person.id, kind)
        clients[kind.value] = person.client
    reading = {scope for scope in Scope if scope.endswith(":read")}
    me = expect(await moderator.client.get("/v1/me"), 200)
    writing = {Scope.ARTICLES_WRITE, Scope.COMMENTS_WRITE}
    for name, user_id, scopes in (
        ("read-only token", another.id, reading),
        ("moderator's token that only writes", me["id"], writing),
    ):
        clients[name] = Client(client.http, await make_api_token(services, user_id, scopes))
    return author, clients


async def exhibit(services: Services, author: Person, clients: dict[str, Client]) -> Exhibition:
    """Write all that will not be public; all but what is pending can be seen at first."""
    article = await author.post_article("Everything", external_id="site-1", tags=["tagged"])
    parent = await author.reply(article["id"], "A visible text.")
    comments: dict[CommentState, list[str]] = {}
    for state in NOT_PUBLIC:
        words = f"{MARKERS[state]} says @olga"
        if state is PENDING:
            held = await add_comment(services, author, article["id"], None, PENDING, text=words)
            below = await add_comment(
                services, author, article["id"], parent["id"], PENDING, text=words
            )
            unseen = f"/v1/articles/{article['id']}/comments"
            reply = await clients[SHADOW_BANNED].post(unseen, {"body": SHADOW})
            comments[state] = [held, below, expect(reply, 201)["id"]]
            continue
        alone = await author.reply(article["id"], f"{words} before.", parent["id"])
        above = await author.reply(article["id"], f"{words} before.")
        for comment in (alone, above):
            expect(await author.edit_anyway(comment["id"], f"{words} now."), 200)
        await author.reply(article["id"], "A visible reply.", above["id"])
        comments[state] = [alone["id"], above["id"]]
    values = {
        "{article}": article["slug"],
        "{external_id}": "site-1",
        "{handle}": "olga",
        "{tag}": "tagged",
        "{refresh_token}": "x",
        "{session_id}": str(uuid4()),
    }
    return Exhibition(clients, values, comments)


async def take_from_sight(services: Services, author: Person, shown: Exhibition) -> None:
    """Hide, remove and delete what was shown; of articles, everything."""
    article = expect(await author.client.get(f"/v1/articles/{shown.values['{article}']}"), 200)
    for state in (HIDDEN, REMOVED, DELETED):
        await change_states(services, article["id"], shown.comments[state], state)
    for state in (ArticleState.REMOVED, ArticleState.DELETED):
        gone = await author.post_article(f"{GONE} {state.value}", body=GONE, tags=[GONE])
        await author.reply(gone["id"], GONE)
        async with services.unit_of_work() as uow:
            row = await lock_article(uow.session, refers_to(UUID(gone["id"])))
            assert row is not None
            articles.change_state(uow, row, state)


async def test_text_that_is_not_public_is_shown_to_nobody_who_may_not_see_it(
    client: Client,
    services: Services,
    make_staff: Callable[[str], Awaitable[Person]],
    start_process: Callable[[], Awaitable[Process]],
    document: dict[str, Any],
) -> None:
    places = find_places(document)
    assert set(places) == set(TABLE), "a new operation needs its row"
    order = sorted(
        places.items(),
        key=lambda item: (
            item[1][0] != "get",
            LAST.index(item[0]) if item[0] in LAST else -1,
        ),
    )
    author, clients = await gather_actors(client, services, make_staff)
    shown = await exhibit(services, author, clients)
    reads = [(name, *place) for name, place in order if place[0] == "get"]
    before: set[str] = set()
    for name, method, path in reads:
        for target in shown.list_targets(path, TABLE[name]):
            response = await shown.send(client, method, path, TABLE[name], target)
            before |= find_markers(response)
    # What was shown is in every cache now; what is pending never was.
    assert before == {MARKERS[state] for state in (HIDDEN, REMOVED, DELETED)}
    await take_from_sight(services, author, shown)
    # What the first of them is sent is made anew, what the others are sent comes from the caches;
    # then from a process that has cached nothing, which makes it for somebody else first.
    await send_reads(shown, reads)
    await services.redis.call(lambda redis: redis.flushdb())
    other = await start_process()
    shown.clients = {name: move(clients[name], other) for name in AT_ANOTHER_PROCESS}
    await send_reads(shown, reads)
    shown.clients = clients
    for name, (method, path) in order:
        if method != "get":
            await shown.send_as_all(name, method, path)
    assert shown.find_leaks() == []
    assert shown.find_stale_rows() == []
    assert len(shown.seen) == len(places) * len(clients)


async def send_reads(shown: Exhibition, reads: Iterable[tuple[str, str, str]]) -> None:
    for name, method, path in reads:
        await shown.send_as_all(name, method, path)


def move(client: Client, process: Process) -> Client:
    """Return a client with the same credentials for another process."""
    moved = Client(process.client.http)
    moved.headers = client.headers
    return moved
