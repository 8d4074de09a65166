"""Delta sync: whatever happens in a thread, an old copy with the changes is the new thread."""

import random
import re
from typing import Any
from uuid import UUID

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from api.articles import lifecycle
from api.articles.changes import PublicEvent
from api.articles.queries import lock_article, refers_to
from api.articles.service import change_settings
from api.comments import imports
from api.comments.events import ThreadImported
from api.comments.lifecycle import TRANSITIONS
from api.comments.tree.changed import find_changed
from api.effects import EFFECTS
from api.kit.db.events import ThreadEvent
from api.kit.services import Services
from api.realtime.changes.service import MAX_BEHIND
from api.votes.service import publish_scores
from models import Article, ArticleState, CommentState
from tests.architecture.source import ROOT
from tests.client import Client, Person, expect, expect_problem, flatten
from tests.comments.test_cost import round_trips
from tests.forest import BEGAN_AT, grow, plant_bushes
from tests.lifecycle import add_comment, change_states
from tests.plans import explain
from tests.working import work_off

STEPS = (
    *("reply", "reply", "reply", "hold", "edit", "pin", "notice", "vote"),
    *(CommentState.VISIBLE, CommentState.HIDDEN, CommentState.REMOVED, CommentState.DELETED) * 2,
    *("copy", "copy", "copy", "update", "update"),
)


def read_client() -> Any:
    """Return the class that docs/sync.md shows."""
    page = (ROOT / "docs/sync.md").read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    exec(re.findall(r"```python\n(.*?)```", page, re.DOTALL)[0], names)  # noqa: S102 - our own page
    return names["ThreadCopy"]


ThreadCopy = read_client()


class Thread:
    """A thread to which anything can happen, and copies of it from different times."""

    def __init__(self, services: Services, client: Client, people: list[Person], seed: int) -> None:
        self.services = services
        self.client = client
        self.people = people
        self.chance = random.Random(seed)
        self.article = ""
        self.states: dict[str, CommentState] = {}
        self.authors: dict[str, Person] = {}
        self.copies: list[Any] = []

    async def get(self, path: str, query: dict[str, Any]) -> Any:
        return expect(await self.client.get(path, params=query), 200)

    async def copy(self) -> None:
        self.copies.append(ThreadCopy(self.get, self.article))
        await self.copies[-1].load()

    def list_visible(self) -> list[str]:
        return [one for one, state in self.states.items() if state is CommentState.VISIBLE]

    async def do(self, step: str) -> None:
        """Let something happen, if there is something that it can happen to."""
        visible = self.list_visible()
        if step in ("reply", "hold"):
            state = CommentState.PENDING if step == "hold" else CommentState.VISIBLE
            parent = self.chance.choice([None, *visible])
            author = self.chance.choice(self.people)
            comment = await add_comment(self.services, author, self.article, parent, state)
            self.states[comment], self.authors[comment] = state, author
        elif isinstance(step, CommentState):
            await self.change_states(step)
        elif step == "copy":
            await self.copy()
        elif step == "update":
            await self.chance.choice(self.copies).update(limit=self.chance.randint(1, 3))
        elif step == "import":
            await self.bring_in()
        elif step == "rename":
            person = self.chance.choice(self.people)
            name = f"Name {self.chance.random()}"
            me = {"display_name": name}
            expect(await person.client.patch("/v1/me", me, headers={"If-Match": "*"}), 200)
            await work_off(self.services)
        elif step == "notice":
            await self.change_settings({"notice": f"{self.chance.random()}"})
        elif visible:
            await self.do_to_one(step, self.chance.choice(visible))

    async def do_to_one(self, step: str, comment: str) -> None:
        if step == "edit":
            response = await self.authors[comment].edit_anyway(comment, f"{self.chance.random()}")
            expect(response, 200)
        elif step == "vote":
            voter = next(one for one in self.people if one is not self.authors[comment])
            value = self.chance.choice([-1, 0, 1])
            path = f"/v1/comments/{comment}/vote"
            expect(await voter.client.put(path, {"value": value}), 200)
            if self.chance.random() < 0.5:
                await publish_scores(self.services)
        elif step == "pin":
            await self.change_settings({"pinned_comment_id": UUID(comment)})

    async def change_settings(self, changes: dict[str, Any]) -> None:
        async with self.services.unit_of_work() as uow:
            article = await lock_article(uow.session, refers_to(self.article))
            assert article is not None
            change_settings(uow, article, changes)

    async def change_states(self, after: CommentState) -> None:
        """Give some of the comments that can have it another state, all at once."""
        able = [one for one, state in self.states.items() if after in TRANSITIONS[state]]
        chosen = self.chance.sample(able, min(len(able), self.chance.randint(1, 3)))
        if chosen:
            await change_states(self.services, self.article, chosen, after)
            self.states |= dict.fromkeys(chosen, after)

    async def bring_in(self) -> None:
        """Import a comment."""
        article_id = UUID(self.article)
        async with self.services.unit_of_work() as uow:
            version = await imports.open_import(
                uow, article_id, comments=1, roots=1, active_at=None
            )
            comment_id = await imports.import_comment(
                uow,
                article_id=article_id,
                external_id=f"{self.chance.random()}",
                parent_id=None,
                author_id=UUID(self.people[0].id),
                body="From elsewhere.",
                created_at=BEGAN_AT,
                version=version,
            )
            assert comment_id is not None
            uow.emit(
                ThreadImported(article_id=article_id, version=version, comment_ids=(comment_id,))
            )
        self.states[str(comment_id)] = CommentState.VISIBLE
        self.authors[str(comment_id)] = self.people[0]


@pytest.fixture
async def people(client: Client) -> list[Person]:
    return [await client.join() for _ in range(2)]


# Without shrinking, which takes longer than a test may.
@settings(max_examples=8, phases=[Phase.generate])
@given(
    steps=st.lists(st.sampled_from(STEPS), min_size=30, max_size=40),
    # Changes of which copies are told to begin anew: they would hide what is wrong with others.
    reloads=st.lists(st.sampled_from(["rename", "import"]), max_size=1),
    seed=st.integers(0, 10**6),
)
async def test_an_old_copy_with_the_changes_is_the_new_thread(
    client: Client,
    services: Services,
    people: list[Person],
    steps: list[str],
    reloads: list[str],
    seed: int,
) -> None:
    thread = Thread(services, client, people, seed)
    thread.article = (await people[0].post_article())["id"]
    await thread.copy()
    for step in [*steps[:9], *reloads, *steps[9:]]:
        await thread.do(step)
    await publish_scores(services)
    fresh = ThreadCopy(thread.get, thread.article)
    await fresh.load()
    for copy in thread.copies:
        await copy.update()
        assert (copy.since, copy.comments) == (fresh.since, fresh.comments)
    tree = await client.tree(thread.article, sort="old", limit=200, children=100, depth=10)
    assert [node["id"] for node in flatten(tree["data"])] == list_ids(fresh)


def list_ids(copy: Any) -> list[str]:
    """Return the ids of the first ten levels of a copy, in the order in which a tree shows them."""
    found = []
    waiting = copy.list_replies()[::-1]
    while waiting:
        comment = waiting.pop()
        found.append(comment["id"])
        if comment["depth"] < 9:
            waiting += copy.list_replies(comment["id"])[::-1]
    return found


@pytest.fixture
async def article(people: list[Person]) -> str:
    return str((await people[0].post_article())["id"])


async def read_changes(client: Client, article: str, since: int, **params: Any) -> dict[str, Any]:
    path = f"/v1/articles/{article}/changes"
    page: dict[str, Any] = expect(await client.get(path, params={"since": since, **params}), 200)
    return page


def test_every_event_of_a_thread_says_what_it_changed() -> None:
    events = EFFECTS.event_types.values()
    assert {event for event in events if issubclass(event, ThreadEvent)} == {
        event for event in events if issubclass(event, PublicEvent)
    }


async def test_what_is_told_of_a_reply_and_of_what_becomes_of_it(
    client: Client, services: Services, people: list[Person], article: str
) -> None:
    author, reader = people
    top = (await author.reply(article, "Top."))["id"]
    reply = (await author.reply(article, "Reply.", top))["id"]
    page = await read_changes(client, article, 1)
    [node] = page["comments"]
    nodes = flatten((await client.tree(article))["data"])
    [expected] = (one for one in nodes if one["id"] == reply)
    del expected["replies"]
    assert node == expected
    [counts] = page["counts"]
    assert (counts["id"], counts["reply_count"], counts["descendant_count"]) == (top, 1, 1)
    assert (page["version"], page["next_since"], page["has_more"]) == (2, 2, False)
    assert page["article"]["comment_count"] == 2
    assert not page["article"]["is_changed"]

    # A vote sends numbers alone.
    expect(await reader.client.put(f"/v1/comments/{reply}/vote", {"value": 1}), 200)
    await publish_scores(services)
    page = await read_changes(client, article, 2)
    assert page["comments"] == page["removed"] == []
    assert [(one["id"], one["score"]) for one in page["counts"]] == [(reply, 1)]

    # With a reply below it a deleted comment is a placeholder; without, both are gone.
    expect(await author.take_back(top), 204)
    page = await read_changes(client, article, 3)
    assert [(one["id"], one["state"], one["body"]) for one in page["comments"]] == [
        (top, "deleted", None)
    ]
    expect(await author.take_back(reply), 204)
    page = await read_changes(client, article, 4)
    assert (page["comments"], set(page["removed"])) == ([], {top, reply})
    # From the start: what came and went meanwhile is only gone.
    page = await read_changes(client, article, 0)
    assert (page["comments"], set(page["removed"]), page["counts"]) == ([], {top, reply}, [])

    patched = await author.client.patch(
        f"/v1/articles/{article}", {"is_locked": True}, headers={"If-Match": "*"}
    )
    expect(patched, 200)
    page = await read_changes(client, article, 5)
    assert page["article"]["is_changed"]
    assert page["article"]["is_locked"]


async def test_a_placeholder_comes_and_goes_with_its_last_reply(
    client: Client, services: Services, people: list[Person], article: str
) -> None:
    root = (await people[0].reply(article))["id"]
    top = (await people[0].reply(article, parent=root))["id"]
    reply = (await people[0].reply(article, parent=top))["id"]
    expect(await people[0].take_back(top), 204)
    await change_states(services, article, [reply], CommentState.HIDDEN)
    page = await read_changes(client, article, 4)
    assert (page["comments"], set(page["removed"])) == ([], {top, reply})
    assert [(one["id"], one["descendant_count"]) for one in page["counts"]] == [(root, 0)]
    await change_states(services, article, [reply], CommentState.VISIBLE)
    page = await read_changes(client, article, 5)
    assert [(one["id"], one["state"]) for one in page["comments"]] == [
        (top, "deleted"),
        (reply, "visible"),
    ]
    assert [(one["id"], one["descendant_count"]) for one in page["counts"]] == [(root, 2)]
    # Both at once: it is as it was.
    page = await read_changes(client, article, 4)
    assert [one["id"] for one in page["comments"]] == [top, reply]
    assert page["removed"] == []


async def test_what_nobody_saw_is_not_told(
    client: Client, services: Services, people: list[Person], article: str
) -> None:
    pending = await add_comment(services, people[0], article, None, CommentState.PENDING)
    await change_states(services, article, [pending], CommentState.REMOVED)
    page = await read_changes(client, article, 0)
    assert page["version"] == page["next_since"] == 2
    assert pending not in str(page)


async def test_an_unchanged_thread_is_304_and_one_that_is_gone_404(
    client: Client, people: list[Person], article: str
) -> None:
    path = f"/v1/articles/{article}/changes?since=0"
    first = await client.get(path)
    assert first.headers["cache-control"] == "public, no-cache"
    tag = {"If-None-Match": first.headers["etag"]}
    assert (await client.get(path, headers=tag)).status_code == 304
    await people[0].reply(article)
    assert len(expect(await client.get(path, headers=tag), 200)["comments"]) == 1
    expect(await people[0].client.delete(f"/v1/articles/{article}", headers={"If-Match": "*"}), 204)
    expect_problem(await client.get(path, headers=tag), 404, "article_not_found")


async def test_an_article_that_is_back_goes_on_with_its_changes(
    client: Client, services: Services, people: list[Person], article: str
) -> None:
    async def change(state: ArticleState) -> None:
        async with services.unit_of_work() as uow:
            row = await uow.session.get(Article, UUID(article), with_for_update=True)
            assert row is not None
            lifecycle.change_state(uow, row, state)

    comment = (await people[0].reply(article))["id"]
    await change(ArticleState.REMOVED)
    gone = await client.get(f"/v1/articles/{article}/changes?since=0")
    expect_problem(gone, 404, "article_not_found")
    await change(ArticleState.VISIBLE)
    page = await read_changes(client, article, 0)
    assert ([one["id"] for one in page["comments"]], page["next_since"]) == ([comment], 3)
    assert page["article"]["is_changed"]


async def test_a_version_that_changes_cannot_be_listed_from(
    client: Client, services: Services, people: list[Person], article: str
) -> None:
    for _ in range(3):
        await people[0].reply(article)
    epoch = (await client.tree(article))["epoch"]
    assert not (await read_changes(client, article, 3, epoch=epoch))["reset"]
    ahead = await read_changes(client, article, 4)
    elsewhere = await read_changes(client, article, 3, epoch="0123456789abcdef")
    async with services.database.write_session() as session:
        await session.execute(text("DELETE FROM events WHERE version = 2"))
    await services.redis.call(lambda redis: redis.flushdb())
    purged = await read_changes(client, article, 1)
    for page in (ahead, elsewhere, purged):
        assert (page["reset"], page["next_since"], page["has_more"]) == (True, None, False)
        assert page["comments"] == page["removed"] == page["counts"] == []
        assert (page["version"], page["epoch"]) == (3, epoch)
    # After the gap there is nothing missing.
    assert len((await read_changes(client, article, 2))["comments"]) == 1
    async with services.database.write_session() as session:
        await session.execute(text(f"UPDATE articles SET version = {MAX_BEHIND + 4}"))
    await services.redis.call(lambda redis: redis.flushdb())
    assert (await read_changes(client, article, 3))["reset"]


async def test_a_response_is_bounded_by_comments_and_by_bytes(
    client: Client, services: Services, people: list[Person], article: str
) -> None:
    ids = await grow(services, article, [None] * 45, author_id=people[0].id)
    # All versions from here on: each hides one, and then one shows them all again.
    for comment in ids[:20]:
        await change_states(services, article, [comment], CommentState.HIDDEN)
    page = await read_changes(client, article, 1, limit=7)
    assert (len(page["removed"]), page["next_since"], page["has_more"]) == (7, 8, True)
    await change_states(services, article, ids[:20], CommentState.VISIBLE)
    # The comments of one version stay together.
    page = await read_changes(client, article, 21, limit=7)
    assert (len(page["comments"]), page["has_more"]) == (20, False)

    async with services.database.write_session() as session:
        await session.execute(text("UPDATE comments SET html = repeat('x', 60000)"))
    for comment in ids[20:]:
        await change_states(services, article, [comment], CommentState.HIDDEN)
        await change_states(services, article, [comment], CommentState.VISIBLE)
    since, met = 22, []
    while True:
        response = await client.get(f"/v1/articles/{article}/changes?since={since}")
        page = expect(response, 200)
        assert len(response.content) < 1.1 * 1024 * 1024
        met += [one["id"] for one in page["comments"]]
        since = page["next_since"]
        if not page["has_more"]:
            break
    assert set(met) == set(ids[20:])
    assert len(met) <= len(ids[20:]) + 5
    # One version with more than fits.
    await change_states(services, article, ids[:20], CommentState.HIDDEN)
    await change_states(services, article, ids[:20], CommentState.VISIBLE)
    assert (await read_changes(client, article, since))["reset"]


async def test_changes_cost_what_they_are_and_not_what_the_thread_is(
    client: Client,
    services: Services,
    people: list[Person],
    database_url: str,
) -> None:
    """Round trips are the same for one change and for fifty, and rows as many as are concerned."""
    costs = []
    for bushes in (5, 500):
        article = (await people[0].post_article())["id"]
        await plant_bushes(database_url, article, bushes)
        parent = flatten((await client.tree(article))["data"])[2]["id"]
        ids = [UUID((await people[0].reply(article, parent=parent))["id"]) for _ in range(10)]
        for since in (1, 10):
            with round_trips(services) as count:
                page = await read_changes(client, article, since)
            assert len(page["comments"]) == 11 - since
            # BEGIN; article, events, comments, numbers; ROLLBACK.
            assert len(count) <= 6, count.statements

        async def find(session: AsyncSession, article: str = article, ids: Any = ids) -> None:
            await find_changed(await session.connection(), UUID(article), ids)

        costs.append(await explain(services, find))
    small, large = costs
    assert large.rows == small.rows
    # The index of a larger table may have a level more, and each comment is looked up in two.
    assert large.pages <= small.pages + 2 * len(ids)
