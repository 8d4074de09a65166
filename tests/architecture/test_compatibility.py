"""What breaks clients is found, and what only adds is not."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from openapi.compatibility import find_breaking_changes, main

Document = dict[str, Any]

TREE = "/v1/articles/{article}/comments"


@pytest.fixture
def changed(document: Document) -> Document:
    return copy.deepcopy(document)


def operation(document: Document, method: str, path: str) -> Any:
    return document["paths"][path][method]


def parameter(document: Document, name: str) -> Any:
    parameters = operation(document, "get", TREE)["parameters"]
    return next(one for one in parameters if one["name"] == name)


def schema(document: Document, name: str) -> Any:
    return document["components"]["schemas"][name]


def field(document: Document, name: str, of: str) -> Any:
    return schema(document, of)["properties"][name]


def test_a_document_does_not_break_itself(document: Document) -> None:
    assert find_breaking_changes(document, document) == []


BREAKING: list[tuple[Callable[[Document], object], str]] = [
    (lambda d: d["paths"].pop("/v1/me"), "GET /v1/me: removed"),
    (lambda d: d["paths"]["/v1/me"].pop("patch"), "PATCH /v1/me: removed"),
    (
        lambda d: operation(d, "get", "/v1/me").update(operationId="get_me"),
        "GET /v1/me: operationId changed from read_me",
    ),
    # Parameters.
    (
        lambda d: operation(d, "get", TREE)["parameters"].remove(parameter(d, "depth")),
        f"GET {TREE}: parameter depth in query removed",
    ),
    (
        lambda d: parameter(d, "sort").update(required=True),
        f"GET {TREE}: parameter sort in query became required",
    ),
    (
        lambda d: operation(d, "get", TREE)["parameters"].append(
            {"name": "as", "in": "query", "required": True, "schema": {"type": "string"}}
        ),
        f"GET {TREE}: required parameter as in query added",
    ),
    (
        lambda d: parameter(d, "limit")["schema"].update(maximum=20),
        f"GET {TREE} parameter limit in query: maximum tightened from 200 to 20",
    ),
    (
        lambda d: parameter(d, "limit")["schema"].update(minimum=5),
        f"GET {TREE} parameter limit in query: minimum tightened from 1 to 5",
    ),
    (
        lambda d: parameter(d, "limit")["schema"].update(type="string"),
        f"GET {TREE} parameter limit in query: type changed from integer to string",
    ),
    # What is sent.
    (lambda d: schema(d, "CommentSort")["enum"].remove("hot"), "CommentSort: value hot removed"),
    (
        lambda d: schema(d, "CommentSort").update({"x-enum-varnames": ["A", "B", "C"]}),
        "CommentSort: name of value best changed from COMMENT_SORT_BEST",
    ),
    (
        lambda d: schema(d, "CommentCreate")["required"].append("parent_id"),
        "CommentCreate.parent_id: became required",
    ),
    (
        lambda d: schema(d, "CommentCreate")["properties"].pop("parent_id"),
        "CommentCreate.parent_id: removed",
    ),
    (
        lambda d: schema(d, "CommentCreate").update(
            properties=schema(d, "CommentCreate")["properties"] | {"mood": {"type": "string"}},
            required=["body", "mood"],
        ),
        "CommentCreate.mood: required field added",
    ),
    (
        lambda d: field(d, "parent_id", of="CommentCreate").update(type="string"),
        "CommentCreate.parent_id: null is not accepted",
    ),
    (
        lambda d: field(d, "body", of="CommentCreate").update(maxLength=100),
        "CommentCreate.body: maxLength tightened from 10000 to 100",
    ),
    (
        lambda d: field(d, "body", of="CommentCreate").update(pattern="^[a-z]+$"),
        "CommentCreate.body: pattern changed",
    ),
    (
        lambda d: field(d, "body", of="CommentCreate").update(enum=["+1"]),
        "CommentCreate.body: only some values are accepted",
    ),
    # What is received.
    (
        lambda d: schema(d, "CommentNode")["properties"].pop("etag"),
        "CommentNode.etag: removed",
    ),
    (
        lambda d: schema(d, "CommentNode")["required"].remove("html"),
        "CommentNode.html: became optional",
    ),
    (
        lambda d: field(d, "etag", of="CommentNode").update(type=["string", "null"]),
        "CommentNode.etag: may be null",
    ),
    (
        lambda d: field(d, "up", of="CommentNode").update(format="int32"),
        "CommentNode.up: format changed from int64 to int32",
    ),
    (
        lambda d: field(d, "mentions", of="CommentNode").update(items={"type": "string"}),
        "CommentNode.mentions[]: type changed from object to string",
    ),
    (
        lambda d: schema(d, "CommentState")["x-extensible-enum"].remove("hidden"),
        "CommentState: value hidden removed",
    ),
    (
        lambda d: d["components"]["schemas"].pop("HandleTakenProblem"),
        "HandleTakenProblem: schema removed",
    ),
    (
        lambda d: operation(d, "get", TREE)["responses"].pop("304"),
        f"GET {TREE}: response 304 removed",
    ),
    (
        lambda d: operation(d, "get", TREE)["responses"]["200"]["headers"].pop("ETag"),
        f"GET {TREE}: header ETag of response 200 removed",
    ),
    (
        lambda d: operation(d, "get", TREE)["responses"]["200"].update(content={"text/html": {}}),
        f"GET {TREE} 200: content type application/json removed",
    ),
    # Who may call.
    (
        lambda d: operation(d, "get", TREE).update(security=[{"access_token": ["comments:read"]}]),
        f"GET {TREE}: security tightened",
    ),
    (
        lambda d: operation(d, "get", "/v1/me").update(
            security=[{"access_token": ["profile:read", "account:write"]}]
        ),
        "GET /v1/me: security tightened",
    ),
    (
        lambda d: operation(d, "get", "/v1/users").update(security=[{"access_token": []}]),
        "GET /v1/users: security tightened",
    ),
]


@pytest.mark.parametrize(("change", "expected"), BREAKING, ids=[text for _, text in BREAKING])
def test_what_breaks_is_found(
    document: Document, changed: Document, change: Callable[[Document], object], expected: str
) -> None:
    change(changed)
    assert expected in find_breaking_changes(document, changed)


def test_what_only_adds_breaks_nothing(document: Document, changed: Document) -> None:
    text = {"type": "string"}
    changed["paths"]["/v1/new"] = copy.deepcopy(changed["paths"]["/v1/me"])
    operation(changed, "get", TREE)["parameters"].append(
        {"name": "as", "in": "query", "required": False, "schema": text}
    )
    parameter(changed, "limit")["schema"].update(maximum=500)
    operation(changed, "get", "/v1/me").update(security=[])
    operation(changed, "post", TREE)["responses"]["402"] = {"description": "Pay first."}
    schema(changed, "CommentNode")["properties"]["mood"] = text
    schema(changed, "CommentNode")["required"].append("mood")
    schema(changed, "CommentCreate")["properties"]["mood"] = text
    schema(changed, "CommentState")["x-extensible-enum"].append("pending")
    schema(changed, "CommentSort")["enum"].append("random")
    # A response is allowed to say more precisely what it is.
    before = copy.deepcopy(document)
    field(before, "up", of="CommentNode").pop("format")
    field(changed, "edited_at", of="CommentRead").update(type="string")
    # A new code of a problem is a special case of the general one.
    schemas = changed["components"]["schemas"]
    schemas["TiredProblem"] = schemas["CommentNotFoundProblem"]
    for response in changed["components"]["responses"].values():
        response["content"]["application/problem+json"]["schema"]["anyOf"].insert(
            0, {"$ref": "#/components/schemas/TiredProblem"}
        )
    assert find_breaking_changes(before, changed) == []


def test_a_new_kind_of_response_breaks_where_it_is_no_special_case(
    document: Document, changed: Document
) -> None:
    for response in changed["components"]["responses"].values():
        response["content"]["application/problem+json"]["schema"]["anyOf"].append(
            {"$ref": "#/components/schemas/UserRead"}
        )
    assert f"GET {TREE} 404: option UserRead added" in find_breaking_changes(document, changed)


def test_a_decision_names_what_may_break(
    document: Document, changed: Document, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    del changed["paths"]["/v1/me"]["patch"]
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    old.write_text(json.dumps(document), encoding="utf-8")
    new.write_text(json.dumps(changed), encoding="utf-8")
    record = tmp_path / "0001-no-profiles.md"
    record.write_text("Breaks `GET /v1/me: removed`.", encoding="utf-8")
    assert main(str(old), str(new), str(tmp_path)) == 1
    assert capsys.readouterr().out == "PATCH /v1/me: removed\n"
    record.write_text("Breaks:\n\n- `PATCH /v1/me: removed`\n", encoding="utf-8")
    assert main(str(old), str(new), str(tmp_path)) == 0
    assert capsys.readouterr().out == ""
