"""Entity tags: what a client need not fetch again, and edits that never overwrite unseen."""

import re
from types import SimpleNamespace
from uuid import UUID

import httpx
import pytest
from fastapi import Request
from hypothesis import given
from hypothesis import strategies as st

from api.kit.db.epoch import Epoch
from api.kit.http.conditional import (
    PreconditionFailed,
    Resource,
    check_revision,
    make_etag,
    matches_etag,
    require_if_match,
)
from tests.client import Client, Person, expect, expect_problem

STRONG = re.compile(r'"[0-9]+-[0-9a-f]{16}-[0-9a-f]{16}"')
COMMENT = Resource("comment", UUID(int=1))
tags = st.from_regex(r'(W/)?"[!#-~]{0,20}"', fullmatch=True)


def tag_of(text: str, revision: int = 1, *, resource: Resource = COMMENT, epoch: str = "a") -> str:
    return make_etag(epoch, resource, revision, text.encode())


@given(st.text(), st.text())
def test_the_tag_changes_with_any_byte(one: str, other: str) -> None:
    assert STRONG.fullmatch(tag_of(one))
    assert (tag_of(one) == tag_of(other)) == (one == other)
    assert tag_of(one, 1) != tag_of(one, 2)
    assert tag_of(one) != tag_of(one, epoch="b")
    assert tag_of(one) != tag_of(one, resource=Resource("article", UUID(int=1)))


@given(st.lists(tags), st.lists(tags), st.sampled_from([",", ", ", " ,\t"]), st.booleans())
def test_a_tag_is_found_in_any_list_that_holds_it(
    before: list[str], after: list[str], comma: str, weak: bool
) -> None:
    etag = '"7-0123456789abcdef"'
    listed = f"W/{etag}" if weak else etag
    assert matches_etag(comma.join([*before, listed, *after]), etag)
    assert not matches_etag(comma.join([*before, *after]), etag)


def test_a_star_matches_what_exists_and_nothing_matches_nothing() -> None:
    assert matches_etag(" * ", '"1-0123456789abcdef"')
    assert not matches_etag(None, '"1-0123456789abcdef"')
    assert not matches_etag("", '"1-0123456789abcdef"')
    assert not matches_etag("1-0123456789abcdef", '"1-0123456789abcdef"')


class Epochs:
    """Where `require_if_match` finds the epoch."""

    async def get(self) -> Epoch:
        return Epoch("a", is_settled=True)


def request() -> Request:
    services = SimpleNamespace(epoch=Epochs())
    app = SimpleNamespace(state=SimpleNamespace(services=services))
    return Request({"type": "http", "method": "PATCH", "headers": [], "app": app})


@given(st.text())
async def test_no_if_match_but_a_strong_tag_of_ours_is_taken(text: str) -> None:
    if text.strip() != "*" and not STRONG.fullmatch(text.strip()):
        with pytest.raises(PreconditionFailed):
            await require_if_match(request(), text)


@pytest.mark.parametrize(
    ("tag", "matches"),
    [
        (tag_of("x", 3), True),
        (tag_of("another body", 3), True),
        ("*", True),
        (tag_of("x", 2), False),
        (tag_of("x", 3, epoch="b"), False),
        (tag_of("x", 3, resource=Resource("comment", UUID(int=2))), False),
        (tag_of("x", 3, resource=Resource("article", UUID(int=1))), False),
    ],
)
async def test_the_tag_must_be_of_the_revision_and_the_resource(tag: str, matches: bool) -> None:
    expected = await require_if_match(request(), tag)
    if matches:
        check_revision(expected, COMMENT, 3)
    else:
        with pytest.raises(PreconditionFailed):
            check_revision(expected, COMMENT, 3)


async def start_thread(client: Client) -> tuple[Person, dict[str, str]]:
    """Return somebody, and where their article, comment, profile and trees are."""
    person = await client.join()
    article = await person.post_article()
    comment = await person.reply(article["id"])
    return person, {
        "article": f"/v1/articles/{article['id']}",
        "comment": f"/v1/comments/{comment['id']}",
        "profile": f"/v1/users/{person.handle}",
        "tree": f"/v1/articles/{article['id']}/comments",
        "replies": f"/v1/comments/{comment['id']}/replies",
        "context": f"/v1/comments/{comment['id']}/context",
    }


async def test_what_did_not_change_is_not_sent_again(client: Client) -> None:
    _, paths = await start_thread(client)
    for name, path in paths.items():
        first = await client.get(path)
        etag = first.headers["etag"]
        assert etag.startswith("W/") == (name in ("tree", "replies", "context")), name
        for seen in (etag, "*", f'"other", {etag}', f"W/{etag.removeprefix('W/')}"):
            again = await client.get(path, headers={"If-None-Match": seen})
            assert again.status_code == 304, (name, seen)
            assert again.content == b""
            for header in ("etag", "cache-control", "vary"):
                assert again.headers[header] == first.headers[header], (name, header)
        for seen in ('"other"', 'W/"other"', "nonsense", '"', "", etag[:-1]):
            again = await client.get(path, headers={"If-None-Match": seen})
            assert again.status_code == 200, (name, seen)


async def test_what_changed_is_sent_again(client: Client) -> None:
    person, paths = await start_thread(client)
    tags = {name: (await client.get(path)).headers["etag"] for name, path in paths.items()}
    comment_id = paths["comment"].rpartition("/")[2]
    await person.reply(paths["article"].rpartition("/")[2], "Another.", comment_id)
    for name, path in paths.items():
        again = await client.get(path, headers={"If-None-Match": tags[name]})
        # Both counts grew; the profile tells nothing of comments.
        assert again.status_code == (304 if name == "profile" else 200), name


async def patch(person: Person, path: str, tag: str | None) -> httpx.Response:
    headers = {} if tag is None else {"If-Match": tag}
    return await person.client.patch(path, {"body": "Changed."}, headers=headers)


@pytest.mark.parametrize("target", ["article", "comment"])
async def test_an_edit_names_the_revision_that_it_changes(client: Client, target: str) -> None:
    person, paths = await start_thread(client)
    path = paths[target]
    seen = (await client.get(path)).headers["etag"]
    expect_problem(await patch(person, path, None), 428, "precondition_required")
    unseen = f'"999-{seen.split("-", 1)[1]}'
    for refused in (f"W/{seen}", seen.strip('"'), '"other"', unseen, "", seen[:-1]):
        expect_problem(await patch(person, path, refused), 412, "precondition_failed")
    expect_problem(await patch(person, path, "x" * 201), 422, "validation_failed")
    assert (await client.get(path)).headers["etag"] == seen

    changed = await patch(person, path, f" {seen} ")
    expect(changed, 200)
    read = await client.get(path)
    assert read.headers["etag"] == changed.headers["etag"] or target == "comment"
    expect_problem(await patch(person, path, seen), 412, "precondition_failed")
    expect(await patch(person, path, "*"), 200)
    stale = await person.client.delete(path, headers={"If-Match": seen})
    expect_problem(stale, 412, "precondition_failed")
    expect_problem(await person.client.delete(path), 428, "precondition_required")


async def test_an_edit_with_the_tag_of_another_resource_is_refused(client: Client) -> None:
    person, paths = await start_thread(client)
    other = await person.reply(paths["article"].rpartition("/")[2], "Another.")
    seen = (await client.get(f"/v1/comments/{other['id']}")).headers["etag"]
    for path in (paths["comment"], paths["article"]):
        refused = await patch(person, path, seen)
        expect_problem(refused, 412, "precondition_failed")
    expect(await patch(person, f"/v1/comments/{other['id']}", seen), 200)


async def test_a_reply_does_not_make_an_edit_fail(client: Client) -> None:
    person, paths = await start_thread(client)
    seen = (await client.get(paths["comment"])).headers["etag"]
    comment_id = paths["comment"].rpartition("/")[2]
    await person.reply(paths["article"].rpartition("/")[2], "Another.", comment_id)
    assert (await client.get(paths["comment"])).headers["etag"] != seen
    expect(await patch(person, paths["comment"], seen), 200)
