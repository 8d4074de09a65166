"""What comes in broken, endless or forged: refused with the right problem, and nothing stays."""

import gzip
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import text

import models
from api.kit.http.body_limit import MAX_BODY_BYTES
from api.kit.services import Services
from tests.client import Client, Person, expect, expect_problem

# Of the service, and not of the library that found the fault.
SENTENCE = r"(?!String|Input|Value|List|UUID)[A-Z].+\."
JSON = {"Content-Type": "application/json"}
# Stands in what is sent, and must not stand in what comes back.
MARK = "hunter2hunter2"

MALFORMED = (400, "malformed_request")
TOO_LARGE = (413, "payload_too_large")
NOT_JSON = (415, "unsupported_media_type")
INVALID = (422, "validation_failed")

# Bodies that no operation can take, whatever it wants.
MALFORMED_BODIES = {
    "nothing but white space": b"  \n",
    "no end": b'{"title": "%s' % MARK.encode(),
    "NaN": b'{"title": NaN, "body": "%s"}' % MARK.encode(),
    "Infinity": b'{"title": -Infinity}',
    "a number beyond a double": b'{"title": 1e999}',
    "a lone surrogate": rb'{"title": "\ud800"}',
    "half a pair": rb'{"title": "\ud83d %s"}' % MARK.encode(),
    "a surrogate in UTF-8": b'{"title": "\xed\xa0\x80"}',
    "a raw NUL": b'{"title": "a\0b"}',
    "a raw line end": b'{"title": "a\nb"}',
    "no UTF-8": b'{"title": "\xff%s"}' % MARK.encode(),
    "a byte order mark": b'\xef\xbb\xbf{"title": "a"}',
    "UTF-16": '{"title": "a"}'.encode("utf-16"),
    "a name twice": b'{"title": "a", "title": "%s"}' % MARK.encode(),
    "a name twice, spelt otherwise": rb'{"title": "a", "\u0074itle": "b"}',
    "a name twice, further down": b'{"title": {"a": [{"b": 1, "b": 2}]}}',
    "30,000 lists": b"[" * 30_000 + b"]" * 30_000,
    "30,000 lists without an end": b"[" * 30_000,
    "10,000 objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "two values": b"{} {}",
    "a comment": b'{"title": "a" /* %s */}' % MARK.encode(),
    "a trailing comma": b'{"title": "a",}',
    "single quotes": b"{'title': 'a'}",
}
INVALID_BODIES = {
    "none": b"",
    "null": b"null",
    "a list": b'[{"title": "%s"}]' % MARK.encode(),
    "a text": b'"%s"' % MARK.encode(),
    "a number": b"1",
    "900 lists": b"[" * 900 + b"]" * 900,
    "an unknown field": b'{"is_admin": "%s"}' % MARK.encode(),
}
TOO_LARGE_BODIES = {
    "one byte too many": b'"' + b"a" * (MAX_BODY_BYTES - 1) + b'"',
    "100,000 lists": b"[" * 100_000 + b"]" * 100_000,
}
NOT_JSON_HEADERS = {
    "text": {"Content-Type": "text/plain"},
    "no type": {},
    "a form": {"Content-Type": "application/x-www-form-urlencoded"},
    "a file": {"Content-Type": "multipart/form-data; boundary=a"},
    "almost": {"Content-Type": "application/jsonp"},
    "compressed": {**JSON, "Content-Encoding": "gzip"},
    "encoded in a way we don't know": {**JSON, "Content-Encoding": "hunter2hunter2"},
}
# Values that some database, parser or renderer has fallen over.
NASTY_VALUES = (
    *(
        "\0",
        "a\0b",
        "\U0001f600" * 100,
        "\u202e\u2066",
        "\ufeff",
        "\x1b[2J",
        "\n",
        "",
        "a" * 60_000,
    ),
    *("' OR 1=1 --", "%s %(a)s {0} $1", "../../etc/passwd", "\\", "%00", "a" * 60_000),
    *(-1, -0.0, 1e308, 5e-324, 2**31, 2**63, 10**400, True, None),
    *([], [[]], {"": None}, ["a"] * 1000),
)
NASTY_TEXTS = (
    *("%ED%A0%80", "%FF", "%C0%80", "%0D%0AX-Evil:%201", "%F0%9F%98%80", "%25%30%30", "%E2%80%AE"),
    *("NaN", "-1", "9" * 400, "1e9", "null", "true", "[]", "%2e%2e%2f", "'%20OR%201=1--", "%20"),
)


@pytest.fixture
async def max_(client: Client) -> Person:
    return await client.join("max")


@pytest.fixture
async def article(max_: Person) -> dict[str, Any]:
    return await max_.post_article()


@pytest.fixture
async def unchanged(services: Services, article: dict[str, Any]) -> AsyncIterator[None]:
    """Compare the number of rows of every table before and after."""
    before = await count_rows(services)
    yield
    assert await count_rows(services) == before


async def count_rows(services: Services) -> dict[str, int]:
    """Return the number of rows of every table, in one round trip."""
    counts = ", ".join(f"(SELECT count(*) FROM {t}) AS {t}" for t in models.metadata.tables)
    async with services.database.read_session() as session:
        return dict((await session.execute(text(f"SELECT {counts}"))).mappings().one())


@pytest.mark.usefixtures("unchanged")
class TestBodies:
    """Every operation that takes a body refuses those that none can take."""

    @pytest.fixture
    async def max_(self, make_staff: Callable[[str], Awaitable[Person]]) -> Person:
        """Somebody who may use every operation: who may not is told that first."""
        return await make_staff("admin")

    async def test_what_is_no_strict_json_is_malformed(self, app: FastAPI, max_: Person) -> None:
        for method, path in find_operations(app):
            for name, body in MALFORMED_BODIES.items():
                await self.refuse(max_, method, path, body, JSON, MALFORMED, name)

    async def test_what_is_no_object_is_invalid(self, app: FastAPI, max_: Person) -> None:
        for method, path in find_operations(app):
            for name, body in INVALID_BODIES.items():
                await self.refuse(max_, method, path, body, JSON, INVALID, name)

    async def test_what_is_too_large_is_not_read(self, app: FastAPI, max_: Person) -> None:
        async def send_in_chunks(body: bytes) -> AsyncIterator[bytes]:
            for start in range(0, len(body), 1000):
                yield body[start : start + 1000]

        for method, path in find_operations(app):
            for name, body in TOO_LARGE_BODIES.items():
                await self.refuse(max_, method, path, body, JSON, TOO_LARGE, name)
                # Without a Content-Length too.
                await self.refuse(max_, method, path, send_in_chunks(body), JSON, TOO_LARGE, name)

    async def test_what_is_not_plain_json_is_not_read(self, app: FastAPI, max_: Person) -> None:
        body = json.dumps({"title": MARK}).encode()
        for method, path in find_operations(app):
            for name, headers in NOT_JSON_HEADERS.items():
                packed = gzip.compress(body) if "Content-Encoding" in headers else body
                await self.refuse(max_, method, path, packed, headers, NOT_JSON, name)

    async def refuse(
        self,
        person: Person,
        method: str,
        path: str,
        body: Any,
        headers: dict[str, str],
        expected: tuple[int, str],
        name: str,
    ) -> None:
        response = await person.client.request(
            method, path, content=body, headers={"If-Match": "*", **headers}
        )
        where = f"{method} {path}: {name}"
        assert (response.status_code, response.json().get("code")) == expected, where
        expect_problem(response, *expected)
        assert MARK not in response.text, where


async def test_a_body_of_exactly_64_kib_is_read(client: Client) -> None:
    body = b'{"login": "' + b"a" * (MAX_BODY_BYTES - 13) + b'"}'
    assert len(body) == MAX_BODY_BYTES
    expect_problem(
        await client.request("POST", "/v1/sessions", content=body, headers=JSON), *INVALID
    )


async def test_a_long_body_that_nobody_reads_is_nobodys_concern(max_: Person) -> None:
    """It did what it was asked, and answered that it had not."""
    body = b"a" * (MAX_BODY_BYTES + 1)
    expect(await max_.client.get("/v1/me", headers=JSON), 200)
    response = await max_.client.request("DELETE", "/v1/sessions/current", content=body)
    expect(response, 204)
    assert response.headers["x-request-id"]


@pytest.mark.parametrize("coding", ["identity", "IDENTITY "])
async def test_the_coding_that_is_none_is_fine(client: Client, coding: str) -> None:
    response = await client.request(
        "POST", "/v1/sessions", content=b"{}", headers={**JSON, "Content-Encoding": coding}
    )
    expect_problem(response, *INVALID)


@pytest.mark.parametrize("media_type", ["application/json; charset=utf-8", "application/a+json"])
async def test_other_kinds_of_json_are_fine(client: Client, media_type: str) -> None:
    headers = {"Content-Type": media_type}
    response = await client.request("POST", "/v1/sessions", content=b"{}", headers=headers)
    expect_problem(response, *INVALID)


async def test_a_fault_says_where_it_is_and_not_what_was_sent(client: Client) -> None:
    body = {"handle": f"{MARK}!", "email": MARK, "password": MARK * 20, "display_name": f"\0{MARK}"}
    response = await client.post("/v1/users", {**body, "a/b~c": MARK})
    problem = expect_problem(response, *INVALID)
    assert MARK not in response.text
    assert {error["pointer"] for error in problem["errors"]} == {
        *("/body/handle", "/body/email", "/body/password", "/body/display_name", "/body/a~1b~0c")
    }


async def test_faults_are_counted_out(client: Client) -> None:
    body = {f"field {n}" + "x" * 200: n for n in range(200)}
    problem = expect_problem(await client.post("/v1/sessions", body), *INVALID)
    assert len(problem["errors"]) == 50
    assert max(len(error["pointer"]) for error in problem["errors"]) < 120


async def test_every_field_bears_every_value(
    app: FastAPI, services: Services, max_: Person, article: dict[str, Any]
) -> None:
    """Some of these are fine where they come. What is refused leaves nothing."""
    before = await count_rows(services)
    for method, path, schema in find_bodies(app):
        example = schema["examples"][0]
        real = path.replace("{article}", article["id"])
        for field in schema["properties"]:
            for value in NASTY_VALUES:
                content = json.dumps({**example, field: value}).encode()
                response = await max_.client.request(
                    method, real, content=content, headers={"If-Match": "*", **JSON}
                )
                where = f"{method} {path} {field}={value!r:.40}: {response.text[:200]}"
                assert response.status_code < 500, where
                if response.status_code == 422:
                    for error in response.json().get("errors", ()):
                        assert re.fullmatch(SENTENCE, error["detail"]), error
                after = await count_rows(services)
                assert response.status_code < 400 or after == before, where
                before = after


async def test_every_parameter_bears_every_text(
    app: FastAPI, client: Client, max_: Person, article: dict[str, Any]
) -> None:
    for path, item in app.openapi()["paths"].items():
        operation = item.get("get", {})
        for parameter in operation.get("parameters", ()):
            for value in NASTY_TEXTS:
                if parameter["in"] == "path":
                    url = path.replace(f"{{{parameter['name']}}}", value)
                else:
                    filled = path.replace("{article}", article["id"])
                    url = f"{filled}?{parameter['name']}={value}"
                response = await max_.client.get(fill(url))
                assert response.status_code in {200, 400, 403, 404, 409, 422}, (
                    f"{url}: {response.text}"
                )
                assert "x-evil" not in response.headers


async def test_every_operation_refuses_a_query_parameter_that_it_does_not_have(
    app: FastAPI, max_: Person, article: dict[str, Any]
) -> None:
    for path, item in app.openapi()["paths"].items():
        real = fill(path.replace("{article}", article["id"]))
        for method in {*item, "head"} if "get" in item else item:
            where = f"{method} {path}"
            url = f"{real}?is_admin={MARK}&a%2Fb&page="
            response = await max_.client.request(method.upper(), url)
            assert response.status_code == 422, where
            if method == "head":
                continue
            problem = expect_problem(response, *INVALID)
            assert {(error["pointer"], error["code"]) for error in problem["errors"]} == {
                ("/query/is_admin", "extra_forbidden"),
                ("/query/a~1b", "extra_forbidden"),
                ("/query/page", "extra_forbidden"),
            }, where
            assert MARK not in response.text, where


async def test_an_unknown_query_parameter_names_those_that_are_known(client: Client) -> None:
    problem = expect_problem(await client.get("/v1/articles?Limit=1"), *INVALID)
    [error] = problem["errors"]
    assert error["pointer"] == "/query/Limit"
    assert "author, cursor, limit, sort, tag" in error["detail"]


async def test_a_query_parameter_is_sent_once(client: Client) -> None:
    problem = expect_problem(await client.get("/v1/articles?limit=1&tag=a&limit=2"), *INVALID)
    assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [
        ("/query/limit", "duplicate_parameter")
    ]
    unknown = "&".join(f"p{n}=1" for n in range(200))
    problem = expect_problem(await client.get(f"/v1/articles?{unknown}"), *INVALID)
    assert len(problem["errors"]) == 50


@pytest.mark.parametrize(
    "target",
    [
        "/v1/users/a%00b",
        "/v1/articles?tag=a%00b",
        "/v1/articles?tag=a%2500b%00",
        "/%00",
        "/v1/articles?cursor=" + "a" * 10_000,
        "/v1/users/" + "a" * 10_000,
    ],
)
async def test_an_endless_address_or_one_with_nul_is_malformed(client: Client, target: str) -> None:
    response = await client.get(target)
    expect_problem(response, *MALFORMED)
    assert "aaaa" not in response.json()["detail"]


async def test_a_method_that_a_path_does_not_have_names_those_it_has(
    app: FastAPI, client: Client
) -> None:
    for path, item in app.openapi()["paths"].items():
        response = await client.request("TRACE", fill(path))
        expect_problem(response, 405, "method_not_allowed")
        assert {method.upper() for method in item} <= set(response.headers["allow"].split(", "))


@pytest.mark.parametrize(
    ("name", "value"),
    [("Idempotency-Key", "a b"), ("Idempotency-Key", "a" * 256), ("Idempotency-Key", "")],
)
async def test_a_header_out_of_bounds_is_invalid(max_: Person, name: str, value: str) -> None:
    response = await max_.client.post("/v1/articles", {"title": "a"}, headers={name: value})
    problem = expect_problem(response, *INVALID)
    assert [error["pointer"] for error in problem["errors"]] == [f"/header/{name}"]


@pytest.mark.parametrize("value", ["a" * 201, "a" * 200, '"1"', 'W/"1-0123456789abcdef"', "\xff"])
async def test_a_tag_that_is_none_of_ours_is_no_match(
    max_: Person, article: dict[str, Any], value: str
) -> None:
    headers = {"If-Match": value.encode("latin-1")}
    path = f"/v1/articles/{article['id']}"
    response = await max_.client.patch(path, {"title": "b"}, headers=headers)
    assert response.status_code == (422 if len(value) > 200 else 412), response.text


@pytest.mark.parametrize(
    "value",
    ["Bearer", "Bearer ", "Bearer a.b.c", "Basic YTpi", "hunter2", "Bearer " + "a" * 5000, "\xff"],
)
async def test_credentials_that_are_none_are_refused(client: Client, value: str) -> None:
    response = await client.get("/v1/me", headers={"Authorization": value.encode("latin-1")})
    expect_problem(response, 401, "not_authenticated")
    assert response.headers["www-authenticate"] == "Bearer"


def find_bodies(app: FastAPI) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield every operation that takes a JSON body, as (method, path, schema of the body)."""
    document = app.openapi()
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if "requestBody" in operation:
                content = operation["requestBody"]["content"].get("application/json")
                if content is None:  # a file, which has tests of its own
                    continue
                name = content["schema"]["$ref"].rpartition("/")[2]
                yield method.upper(), fill(path), document["components"]["schemas"][name]


def find_operations(app: FastAPI) -> list[tuple[str, str]]:
    return [(method, path.replace("{article}", "none")) for method, path, _ in find_bodies(app)]


def fill(path: str) -> str:
    """Put something that fits in place of a path's parameters, but for the article."""
    path = path.replace("{external_id}", "site-1").replace("{handle}", "max").replace("{tag}", "a")
    return re.sub(r"\{[a-z_]+_id\}", "0198f2c5-6f7a-7c3e-9d2b-3a1f5e8c7b60", path)
