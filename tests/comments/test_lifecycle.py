"""Random transitions on random trees: counters equal a recount, and the tree a simple model's."""

import asyncio
import random
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from api.comments.errors import CommentGone, CommentNotFound
from api.kit.problems import Problem
from api.kit.services import Services
from models import CommentState
from tests.client import Client, Person, expect, flatten
from tests.lifecycle import add_comment, change_states
from tests.recount import find_wrong_counters
from tests.warm import warm_pools

PENDING, VISIBLE, HIDDEN = CommentState.PENDING, CommentState.VISIBLE, CommentState.HIDDEN
REMOVED, DELETED = CommentState.REMOVED, CommentState.DELETED

ALLOWED = {
    *((PENDING, VISIBLE), (PENDING, REMOVED), (PENDING, DELETED)),
    *((VISIBLE, HIDDEN), (VISIBLE, REMOVED), (VISIBLE, DELETED)),
    *((HIDDEN, VISIBLE), (HIDDEN, REMOVED), (HIDDEN, DELETED)),
    *((REMOVED, VISIBLE), (REMOVED, HIDDEN)),
}
STATES_AFTER = [VISIBLE, HIDDEN, REMOVED, DELETED]


@dataclass
class Node:
    """A comment as the model knows it."""

    parent: str | None
    state: CommentState
    was_visible: bool
    replies: list[str] = field(default_factory=list)


class Model:
    """A thread as a dictionary: who is listed is found out anew for each question."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}

    def add(self, comment: str, parent: str | None, state: CommentState) -> None:
        self.nodes[comment] = Node(parent, state, was_visible=state is VISIBLE)
        if parent is not None:
            self.nodes[parent].replies.append(comment)

    def is_listed(self, comment: str) -> bool:
        node = self.nodes[comment]
        return node.state is VISIBLE or any(self.is_listed(reply) for reply in node.replies)

    def takes_reply(self, comment: str) -> bool:
        """Return whether it is visible, and not deeper than a page shows."""
        return self.nodes[comment].state is VISIBLE and self.depth_of(comment) < 9

    def depth_of(self, comment: str) -> int:
        parent = self.nodes[comment].parent
        return 0 if parent is None else 1 + self.depth_of(parent)

    def find_listed(self) -> set[str]:
        return {comment for comment in self.nodes if self.is_listed(comment)}

    def may_change(self, comments: list[str], after: CommentState) -> bool:
        return all((self.nodes[comment].state, after) in ALLOWED for comment in comments)

    def change(self, comments: list[str], after: CommentState) -> dict[str, set[str]]:
        """Change states; return what the event has to say of it."""
        before = self.find_listed()
        published = {one for one in comments if not self.nodes[one].was_visible}
        for comment in comments:
            self.nodes[comment].state = after
            self.nodes[comment].was_visible |= after is VISIBLE
        said = {"comment_ids": set(comments)}
        if after is VISIBLE:
            return {
                **said,
                "listed_ids": self.find_listed() - before,
                "published_ids": published,
            }
        return {**said, "unlisted_ids": before - self.find_listed()}

    def to_tree(self) -> list[tuple[str, str | None, str, int, int]]:
        """Return what readers see of each comment, parents before children, the oldest first."""
        shown = []
        waiting = [one for one, node in reversed(self.nodes.items()) if node.parent is None]
        while waiting:
            comment = waiting.pop()
            node = self.nodes[comment]
            if not self.is_listed(comment):
                continue
            replies = [reply for reply in node.replies if self.is_listed(reply)]
            shown.append(
                (comment, node.parent, node.state.value, len(replies), self.count_below(comment))
            )
            waiting += reversed(node.replies)
        return shown

    def count_below(self, comment: str) -> int:
        replies = [one for one in self.nodes[comment].replies if self.is_listed(one)]
        return len(replies) + sum(self.count_below(reply) for reply in replies)


@pytest.fixture
async def person(client: Client) -> Person:
    return await client.join()


async def compare(client: Client, services: Services, article: str, model: Model) -> None:
    async with services.database.read_session() as session:
        assert await find_wrong_counters(session) == []
        versions = text("SELECT count(*), max(version) FROM events WHERE article_id = :id")
        events = (await session.execute(versions, {"id": UUID(article)})).one()
    page = await client.tree(article, sort="old", limit=200, children=100, depth=10)
    nodes = flatten(page["data"])
    names = ("id", "parent_id", "state", "reply_count", "descendant_count")
    assert [tuple(node[name] for name in names) for node in nodes] == model.to_tree()
    for node in nodes:
        is_shown = node["state"] == "visible"
        assert (node["body"] is not None) == is_shown, node
        assert (node["author"] is not None) == is_shown, node
    read = expect(await client.get(f"/v1/articles/{article}"), 200)
    visible = [node for node in model.nodes.values() if node.state is VISIBLE]
    assert read["comment_count"] == len(visible)
    # One version, and one event, for each change; the first event is the article's own.
    assert read["version"] == page["version"] == events.max == events.count - 1


steps = st.lists(
    st.tuples(
        st.sampled_from(["reply", "reply", "hold", *STATES_AFTER, *STATES_AFTER]),
        st.integers(1, 4),
        st.integers(0, 10**6),
    ),
    min_size=1,
    max_size=20,
)


@settings(max_examples=25)
@given(steps=steps)
async def test_counters_and_tree_agree_with_a_model(
    client: Client, services: Services, person: Person, steps: list[tuple[str, int, int]]
) -> None:
    article = (await person.post_article())["id"]
    model = Model()
    for step, number, seed in steps:
        chance = random.Random(seed)
        if step in ("reply", "hold"):
            parents = [one for one in model.nodes if model.takes_reply(one)]
            parent = chance.choice([None, *parents, *parents[-3:]])
            state = VISIBLE if step == "reply" else PENDING
            comment = await add_comment(services, person, article, parent, state)
            model.add(comment, parent, state)
        elif model.nodes:
            after = CommentState(step)
            # Mostly what may change, so that steps lead somewhere.
            allowed = [one for one in model.nodes if model.may_change([one], after)]
            pool = allowed if allowed and chance.random() < 0.8 else list(model.nodes)
            chosen = chance.sample(pool, min(number, len(pool)))
            if model.may_change(chosen, after):
                said = await change_states(services, article, chosen, after)
                expected = model.change(chosen, after)
                assert {name: set(said[name]) for name in expected} == expected
            else:
                with pytest.raises(CommentGone):
                    await change_states(services, article, chosen, after)
        await compare(client, services, article, model)


async def test_a_restored_thread_is_what_it_was(
    client: Client, services: Services, person: Person
) -> None:
    """Everything goes, bottom up or top down, all at once or one by one, and comes back."""
    article = (await person.post_article())["id"]
    ids: list[str] = []
    for parent in (None, 0, 1, 1, 0, 4, None):
        above = None if parent is None else ids[parent]
        ids.append(await add_comment(services, person, article, above))
    before = await client.tree(article, sort="old")
    for order in (ids, ids[::-1]):
        for removed in ([order], [[one] for one in order]):
            for batch in removed:
                await change_states(services, article, batch, REMOVED)
            gone = await client.tree(article)
            assert gone["data"] == []
            for batch in removed:
                await change_states(services, article, batch, VISIBLE)
            after = await client.tree(article, sort="old")
            assert [without_version(node) for node in flatten(after["data"])] == [
                without_version(node) for node in flatten(before["data"])
            ]


def without_version(node: dict[str, Any]) -> dict[str, Any]:
    return {name: node[name] for name in node if name not in ("version", "replies", "etag")}


async def test_a_comment_is_published_once(
    client: Client, services: Services, person: Person
) -> None:
    article = (await person.post_article())["id"]
    comment = await add_comment(services, person, article, None, PENDING)
    async with services.database.read_session() as session:
        active_at = text("SELECT last_activity_at = created_at FROM articles")
        assert await session.scalar(active_at)
    refused = await change_states(services, article, [comment], REMOVED)
    assert refused["unlisted_ids"] == []
    approved = await change_states(services, article, [comment], VISIBLE)
    assert approved["published_ids"] == [comment]
    async with services.database.read_session() as session:
        assert not await session.scalar(active_at)
    await change_states(services, article, [comment], HIDDEN)
    shown = await change_states(services, article, [comment], VISIBLE)
    assert (shown["listed_ids"], shown["published_ids"]) == ([comment], [])


async def test_a_batch_is_all_or_nothing_and_of_one_article(
    client: Client, services: Services, person: Person
) -> None:
    article, other = [(await person.post_article())["id"] for _ in range(2)]
    one = await add_comment(services, person, article, None)
    gone = await add_comment(services, person, article, None)
    elsewhere = await add_comment(services, person, other, None)
    await change_states(services, article, [gone], DELETED)
    with pytest.raises(CommentGone):
        await change_states(services, article, [one, gone], HIDDEN)
    with pytest.raises(CommentNotFound):
        await change_states(services, article, [one, elsewhere], HIDDEN)
    assert [node["id"] for node in flatten((await client.tree(article))["data"])] == [one]


async def test_transitions_at_the_same_time(
    client: Client, services: Services, person: Person
) -> None:
    """Rounds of eight who change states and reply at once, on connections that are open."""
    article = (await person.post_article())["id"]
    ids = [await add_comment(services, person, article, None) for _ in range(3)]
    await warm_pools(services)
    chance = random.Random(11)
    refused: set[str] = set()

    async def act(seed: int) -> None:
        own = random.Random(seed)
        for _ in range(4):
            try:
                if own.random() < 0.5:
                    state = own.choice([VISIBLE, VISIBLE, PENDING])
                    parent = own.choice([None, *ids[:12]])  # no deeper than a page shows
                    ids.append(await add_comment(services, person, article, parent, state))
                else:
                    batch = own.sample(ids, min(own.randint(1, 3), len(ids)))
                    await change_states(services, article, batch, own.choice(STATES_AFTER))
            except Problem as problem:
                refused.add(problem.code)

    for _ in range(6):
        await asyncio.gather(*(act(chance.randrange(10**6)) for _ in range(8)))
        await compare(client, services, article, await read_model(services))
    assert refused <= {"comment_gone", "parent_gone", "parent_not_found"}


async def read_model(services: Services) -> Model:
    """Return the model of a thread from nothing but parents and states."""
    model = Model()
    async with services.database.read_session() as session:
        statement = text("SELECT id, parent_id, state FROM comments ORDER BY created_at, id")
        for row in await session.execute(statement):
            model.add(str(row.id), row.parent_id and str(row.parent_id), CommentState(row.state))
    return model


async def test_a_comment_stays_under_its_article(
    client: Client, services: Services, person: Person
) -> None:
    """Which article a comment is under is remembered for ever."""
    article, other = [(await person.post_article())["id"] for _ in range(2)]
    await add_comment(services, person, article, None)
    move = text("UPDATE comments SET article_id = :other")
    with pytest.raises(IntegrityError, match="stays under its article"):
        async with services.database.write_session() as session:
            await session.execute(move, {"other": UUID(other)})
