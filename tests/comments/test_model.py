"""A state machine: whatever people do in whatever order, the API agrees with a simple model."""

from dataclasses import dataclass, field

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.client import Client, Person, expect, flatten

steps = st.lists(
    st.tuples(
        st.sampled_from(["reply", "reply", "reply", "edit", "delete", "delete", "vote"]),
        st.integers(0, 10**6),
        st.integers(0, 2),
    ),
    min_size=1,
    max_size=15,
)


@dataclass
class Remark:
    """A comment as the model knows it."""

    author: int
    body: str
    parent: str | None
    deleted: bool = False
    replies: list[str] = field(default_factory=list)


class Model:
    """A thread as a dictionary: slow, obvious, and never wrong."""

    def __init__(self) -> None:
        self.remarks: dict[str, Remark] = {}
        self.roots: list[str] = []

    def shown(self, comment: str) -> bool:
        remark = self.remarks[comment]
        return not remark.deleted or any(self.shown(reply) for reply in remark.replies)

    def listed(self, comments: list[str]) -> list[str]:
        return [comment for comment in comments if self.shown(comment)]

    def below(self, comment: str) -> list[str]:
        found = []
        for reply in self.listed(self.remarks[comment].replies):
            found += [reply, *self.below(reply)]
        return found

    def preorder(self) -> list[str]:
        found = []
        for root in self.listed(self.roots):
            found += [root, *self.below(root)]
        return found

    def judge(self, deed: str, who: int, comment: str | None) -> tuple[int, ...]:
        """Return the statuses that a deed may have."""
        if comment is None:
            return (201,)
        remark = self.remarks[comment]
        if not self.shown(comment):
            return (404,)
        is_own = remark.author == who
        if remark.deleted:
            return (409,) if deed in ("reply", "vote") or is_own else (403,)
        may = {"reply": True, "vote": not is_own}.get(deed, is_own)
        return ({"reply": 201, "delete": 204}.get(deed, 200),) if may else (403,)

    def do(self, deed: str, who: int, comment: str | None, answer: httpx.Response) -> None:
        """Do what the API did."""
        if deed == "reply":
            written = answer.json()
            remark = Remark(who, written["body"], comment)
            self.remarks[written["id"]] = remark
            (self.remarks[comment].replies if comment else self.roots).append(written["id"])
        elif deed == "edit" and comment:
            self.remarks[comment].body = answer.json()["body"]
        elif deed == "delete" and comment:
            self.remarks[comment].deleted = True


@settings(max_examples=15)
@given(steps=steps)
async def test_the_api_agrees_with_the_model(
    client: Client, people: list[Person], steps: list[tuple[str, int, int]]
) -> None:
    article = (await people[0].post_article())["id"]
    model = Model()
    for deed, number, who in steps:
        known = list(model.remarks)
        chosen = known[number % len(known)] if known else None
        if deed == "reply" and number % 4 == 0:
            # One in four replies goes to the article.
            chosen = None
        if chosen is None and deed != "reply":
            continue
        answer = await act(people[who], article, deed, chosen, f"text {number}")
        statuses = model.judge(deed, who, chosen)
        assert answer.status_code in statuses, (deed, answer.text)
        if answer.is_success:
            model.do(deed, who, chosen, answer)
        await compare(client, article, model)


@pytest.fixture
async def people(client: Client) -> list[Person]:
    return [await client.join() for _ in range(3)]


async def act(
    person: Person, article: str, deed: str, comment: str | None, body: str
) -> httpx.Response:
    if deed == "reply" or comment is None:
        return await person.client.post(
            f"/v1/articles/{article}/comments", {"body": body, "parent_id": comment}
        )
    if deed == "edit":
        return await person.edit_anyway(comment, body)
    if deed == "delete":
        return await person.take_back_anyway(comment)
    return await person.client.put(f"/v1/comments/{comment}/vote", {"value": 1})


async def compare(client: Client, article: str, model: Model) -> None:
    tree = await client.tree(article, sort="old", limit=200, children=100, depth=10)
    nodes = flatten(tree["data"])
    visible = [node for node in nodes if node["depth"] < 10]
    expected = [one for one in model.preorder() if depth_of(model, one) < 10]
    assert [node["id"] for node in visible] == expected
    for node in visible:
        remark = model.remarks[node["id"]]
        assert node["parent_id"] == remark.parent
        assert node["body"] == (None if remark.deleted else remark.body)
        assert node["state"] == ("deleted" if remark.deleted else "visible")
        assert node["reply_count"] == len(model.listed(remark.replies))
        assert node["descendant_count"] == len(model.below(node["id"]))
    read = expect(await client.get(f"/v1/articles/{article}"), 200)
    assert read["comment_count"] == sum(not r.deleted for r in model.remarks.values())
    assert read["version"] == tree["version"]


def depth_of(model: Model, comment: str) -> int:
    parent = model.remarks[comment].parent
    return 0 if parent is None else 1 + depth_of(model, parent)
