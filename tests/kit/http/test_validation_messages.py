"""People read what is wrong with an input, without the words of the library that found it."""

import re
from typing import Any

import pytest
from fastapi import FastAPI

from api.kit.http.validation_messages import describe_fault
from tests.client import Client, Person, expect_problem

REGISTRATION = {"handle": "lee", "email": "lee@example.com", "password": "correct horse"}
ARTICLE = {"title": "On docking ports"}
UUID = "Send a UUID, such as 0198f2c5-6f7a-7c3e-9d2b-3a1f5e8c7b60."
# What Pydantic says, to those who know it.
JARGON = re.compile(r"should|valid|input|value|item|parse|pattern|permitted", re.IGNORECASE)


@pytest.fixture
async def max_(client: Client) -> Person:
    return await client.join("max")


@pytest.mark.parametrize(
    ("method", "path", "body", "pointer", "code", "detail"),
    [
        *(
            ("POST", "/v1/users", {**REGISTRATION, **fields}, *expected)
            for fields, *expected in (
                (
                    {"handle": "lee s"},
                    *("/body/handle", "string_pattern_mismatch"),
                    "Use the letters a to z and digits, with single - or _ between them.",
                ),
                (
                    {"handle": "l"},
                    "/body/handle",
                    "string_too_short",
                    "Send at least 2 characters.",
                ),
                (
                    {"handle": "l" * 33},
                    *("/body/handle", "string_too_long", "Send at most 32 characters."),
                ),
                (
                    {"email": "lee@exa mple"},
                    *("/body/email", "value_error"),
                    "Send an e-mail address, such as lee@example.com.",
                ),
                (
                    {"display_name": " "},
                    "/body/display_name",
                    "too_short",
                    "This must not be empty.",
                ),
                (
                    {"display_name": "n" * 65},
                    *("/body/display_name", "too_long", "Send at most 64 characters."),
                ),
                (
                    {"display_name": "a\u202eb"},
                    *("/body/display_name", "value_error"),
                    "Remove the text direction character U+202E.",
                ),
                ({"password": 12345678}, "/body/password", "string_type", "Send a string."),
                ({"admin": True}, "/body/admin", "extra_forbidden", "Unknown field. Remove it."),
            )
        ),
        *(
            ("POST", "/v1/articles", {**ARTICLE, **fields}, *expected)
            for fields, *expected in (
                ({"title": ""}, "/body/title", "too_short", "This must not be empty."),
                (
                    {"body": "b" * 20_001},
                    "/body/body",
                    "too_long",
                    "Send at most 20,000 characters.",
                ),
                ({"body": "\0"}, "/body/body", "value_error", "Remove the control characters."),
                (
                    {"slug": "On Ports"},
                    *("/body/slug", "string_pattern_mismatch"),
                    "Use the lower-case letters a to z and digits, with single - between them.",
                ),
                (
                    {"url": "example.com"},
                    *("/body/url", "string_pattern_mismatch"),
                    "Start with http:// or https://, and use ASCII characters without spaces.",
                ),
                (
                    {"url": "http://[x"},
                    *("/body/url", "url_parsing"),
                    "Send a complete web address, such as https://example.com/picture.png.",
                ),
                (
                    {"tags": ["outer space"]},
                    *("/body/tags/0", "string_pattern_mismatch"),
                    "Remove spaces and the characters , # / ? and &.",
                ),
                ({"tags": ["a", "a"]}, "/body/tags", "value_error", "Name each tag only once."),
                (
                    {"tags": [f"{n}" for n in range(11)]},
                    *("/body/tags", "too_long", "Send at most 10 items."),
                ),
                ({"tags": "space"}, "/body/tags", "list_type", "Send a list."),
                ({"title": None}, "/body/title", "string_type", "Send a string."),
            )
        ),
        ("POST", "/v1/articles", {}, "/body/title", "missing", "This is required."),
        ("POST", "/v1/articles", [], "/body", "model_attributes_type", "Send a JSON object."),
        (
            *("PATCH", "/v1/articles/x", {"is_locked": "x"}),
            *("/body/is_locked", "bool_type", "Send true or false."),
        ),
        (
            *("POST", "/v1/articles/x/comments", {"body": "  "}),
            *("/body/body", "string_pattern_mismatch", "Write at least one visible character."),
        ),
        (
            *("POST", "/v1/articles/x/comments", {"body": "x", "parent_id": "x"}),
            *("/body/parent_id", "uuid_parsing", UUID),
        ),
        (
            *("PUT", "/v1/articles/x/vote", {"value": 2}),
            *("/body/value", "less_than_equal", "Send a number of at most 1."),
        ),
        (
            *("PUT", "/v1/articles/x/vote", {"value": "1"}),
            *("/body/value", "int_type", "Send a whole number."),
        ),
        (
            *("GET", "/v1/articles?limit=0", None),
            *("/query/limit", "greater_than_equal", "Send a number of at least 1."),
        ),
        (
            *("GET", "/v1/articles?limit=ten", None),
            *("/query/limit", "int_parsing", "Send a whole number."),
        ),
        (
            *("GET", "/v1/articles?sort=best", None),
            *("/query/sort", "enum", "Send one of 'new', 'active', 'top' or 'hot'."),
        ),
        ("GET", "/v1/users?prefix=a&article=x", None, "/query/article", "uuid_parsing", UUID),
    ],
)
async def test_an_error_is_a_sentence_that_says_what_to_do(
    max_: Person, method: str, path: str, body: Any, pointer: str, code: str, detail: str
) -> None:
    options = {} if body is None else {"json": body}
    response = await max_.client.request(method, path, headers={"If-Match": "*"}, **options)
    problem = expect_problem(response, 422, "validation_failed")
    assert problem["errors"] == [{"pointer": pointer, "code": code, "detail": detail}]


def test_every_pattern_is_said_in_words(app: FastAPI) -> None:
    document = app.openapi()
    # Not those of response headers, which nobody sends.
    patterns = find_patterns([document["paths"], document["components"]["schemas"]])
    patterns |= {r"\S", r"^[^\s,#/?&]+$"}  # which stand behind a validator, out of the document
    assert len(patterns) > 5
    for pattern in patterns:
        detail = describe_fault("string_pattern_mismatch", {"pattern": pattern}, "")
        assert detail.endswith("."), pattern
        assert not JARGON.search(detail)


def find_patterns(part: Any) -> set[str]:
    if isinstance(part, list):
        return set().union(*map(find_patterns, part))
    if not isinstance(part, dict):
        return set()
    own = {part["pattern"]} if isinstance(part.get("pattern"), str) else set()
    return own.union(*map(find_patterns, part.values()))
