"""Rules and settings over HTTP: who may, what is refused and why, CSV in both directions."""

from typing import Any

import pytest

from api.kit.services import Services
from api.screening.editing import MAX_RULES
from tests.client import Client, Person, expect, expect_problem

RULES = "/v1/moderation/rules"
SETTINGS = "/v1/moderation/settings"
CSV = {"Content-Type": "text/csv"}


@pytest.fixture
async def moderator(make_staff: Any) -> Person:
    person: Person = await make_staff("moderator")
    return person


async def add(moderator: Person, kind: str, value: str, action: str) -> dict[str, Any]:
    body = {"kind": kind, "value": value, "action": action}
    rule: dict[str, Any] = expect(await moderator.client.post(RULES, body), 201)
    return rule


async def import_csv(moderator: Person, content: str | bytes) -> Any:
    return await moderator.client.request("POST", f"{RULES}/import", content=content, headers=CSV)


async def test_a_rule_is_made_changed_and_deleted(client: Client, moderator: Person) -> None:
    author = await client.join()
    article = (await author.post_article())["id"]
    rule = await add(moderator, "word", "blorp", "hold")
    assert (await author.reply(article, "blorp"))["state"] == "pending"
    path = f"{RULES}/{rule['id']}"
    read = await moderator.client.get(path)
    assert expect(read, 200) == rule
    expect_problem(await moderator.client.patch(path, {}), 428, "precondition_required")
    etag = {"If-Match": read.headers["etag"]}
    changed = await moderator.client.patch(path, {"action": "flag"}, headers=etag)
    assert expect(changed, 200)["action"] == "flag"
    assert (await author.reply(article, "blorp"))["state"] == "visible"
    stale = await moderator.client.patch(path, {"action": "reject"}, headers=etag)
    expect_problem(stale, 412, "precondition_failed")
    etag = {"If-Match": changed.headers["etag"]}
    expect(await moderator.client.delete(path, headers=etag), 204)
    expect_problem(await moderator.client.get(path), 404, "rule_not_found")


async def test_a_rule_stands_once(moderator: Person) -> None:
    rule = await add(moderator, "domain", "Bad.Example.", "hold")
    assert rule["value"] == "bad.example"
    body = {"kind": "domain", "value": "bad.example", "action": "reject"}
    expect_problem(await moderator.client.post(RULES, body), 409, "rule_exists")
    other = await add(moderator, "domain", "worse.example", "hold")
    path, any_version = f"{RULES}/{other['id']}", {"If-Match": "*"}
    clash = await moderator.client.patch(path, {"value": "bad.example"}, headers=any_version)
    expect_problem(clash, 409, "rule_exists")
    listed = expect(await moderator.client.get(f"{RULES}?kind=domain"), 200)["data"]
    assert [one["id"] for one in listed] == [other["id"], rule["id"]]


@pytest.mark.parametrize(
    ("kind", "value", "action", "reason"),
    [
        ("pattern", r"(a)\1", "hold", "RE2"),
        ("pattern", "a(?=b)", "hold", "RE2"),
        ("pattern", "(", "hold", "RE2"),
        ("pattern", "(a{900}){900}", "hold", "RE2"),
        ("pattern", "a*", "hold", "empty text"),
        ("word", "!!", "hold", "letters or digits"),
        ("word", "blorp", "allow", "Only domains"),
        ("domain", "no domain", "hold", "example.com"),
    ],
)
async def test_what_cannot_be_matched_is_refused_with_the_reason(
    moderator: Person, kind: str, value: str, action: str, reason: str
) -> None:
    body = {"kind": kind, "value": value, "action": action}
    refused = expect_problem(await moderator.client.post(RULES, body), 422, "validation_failed")
    [error] = refused["errors"]
    assert error["code"] == "invalid_rule"
    assert reason in error["detail"]
    content = f'kind,value,action\nword,gronk,hold\n{kind},"{value}",{action}\n'
    refused = expect_problem(await import_csv(moderator, content), 422, "validation_failed")
    assert refused["errors"][0]["pointer"].startswith("/body/line 3/")
    # All or none.
    assert expect(await moderator.client.get(RULES), 200)["data"] == []


async def test_csv_goes_out_and_comes_in(moderator: Person) -> None:
    await add(moderator, "word", "blorp", "hold")
    content = (
        "\ufeffkind,value,action,note,is_enabled\r\n"
        "word,blorp,hold,,true\r\n"
        'pattern,"a{2,3}b",reject,"so, ""quoted""\nin two lines",no\r\n'
        "DOMAIN,Bad.example,Hold,,\r\n"
    )
    assert expect(await import_csv(moderator, content), 200) == {
        "added": 2,
        "changed": 0,
        "unchanged": 1,
    }
    exported = await moderator.client.get(f"{RULES}.csv")
    assert exported.headers["content-type"].startswith("text/csv")
    assert exported.headers["cache-control"] == "no-store"
    assert exported.text.splitlines()[0] == "kind,value,action,note,is_enabled"
    again = expect(await import_csv(moderator, exported.content), 200)
    assert again == {"added": 0, "changed": 0, "unchanged": 3}
    changed = expect(await import_csv(moderator, "value,kind,action\nblorp,word,flag\n"), 200)
    assert changed == {"added": 0, "changed": 1, "unchanged": 0}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"kind,value\nword,blorp\n",
        b"kind,value,action,kind\n",
        b"kind,value,action,colour\n",
        b"kind,value,action\nword,blorp,hold,too,many\n",
        b"kind,value,action\nword,blorp\n",
        b'kind,value,action\nword,"blorp,hold\n',
        b"kind,value,action\nverb,blorp,hold\n",
        b"kind,value,action,is_enabled\nword,blorp,hold,perhaps\n",
        b"kind,value,action\nword,bl\x00orp,hold\n",
    ],
)
async def test_a_broken_file_is_refused(moderator: Person, content: bytes) -> None:
    refused = await import_csv(moderator, content)
    assert expect_problem(refused, 422, "validation_failed")["errors"]


async def test_a_file_has_a_limit_of_its_own(moderator: Person) -> None:
    head = "kind,value,action\n"
    lines = "".join(f"word,blorp{n}x,flag\n" for n in range(10_000))
    assert expect(await import_csv(moderator, head + lines), 200)["added"] == 10_000
    too_large = await import_csv(moderator, head + "x" * 1024 * 1024)
    expect_problem(too_large, 413, "payload_too_large")
    lines = "".join(f"word,gronk{n}x,flag\n" for n in range(MAX_RULES - 9_999))
    expect_problem(await import_csv(moderator, head + lines), 409, "too_many_rules")
    body = await moderator.client.request(
        "POST", f"{RULES}/import", content=head, headers={"Content-Type": "application/json"}
    )
    expect_problem(body, 415, "unsupported_media_type")


async def test_settings_are_changed_one_by_one(
    client: Client, services: Services, moderator: Person
) -> None:
    read = await moderator.client.get(SETTINGS)
    before = expect(read, 200)
    etag = {"If-Match": read.headers["etag"]}
    changed = await moderator.client.patch(SETTINGS, {"held_first_comments": 1}, headers=etag)
    after = expect(changed, 200)
    assert before["held_first_comments"] == 0
    assert {name for name in after if after[name] != before[name]} == {
        "held_first_comments",
        "updated_at",
    }
    stale = await moderator.client.patch(SETTINGS, {"max_links": 1}, headers=etag)
    expect_problem(stale, 412, "precondition_failed")
    author = await client.join()
    article = (await author.post_article())["id"]
    assert (await author.reply(article))["state"] == "pending"
    for body in ({"max_links": -1}, {"max_repeats": 0}, {"report_threshold": 1e9}, {"x": 1}):
        expect_problem(
            await moderator.client.patch(SETTINGS, body, headers={"If-Match": "*"}),
            422,
            "validation_failed",
        )
