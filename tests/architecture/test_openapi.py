"""The OpenAPI document is a product: valid, complete, and the one that is committed."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from api.articles.slugs import is_reserved_slug
from api.auth.scopes import Scope
from api.kit.http.problem_responses import MEDIA_TYPE
from api.kit.openapi.document import TAGS
from api.kit.openapi.examples import compose_example
from api.users.handles import is_reserved_handle
from api.webhooks.schemas import TEST_TYPE
from models import WebhookEventType
from tests.architecture.source import ROOT

METHODS = {"get", "put", "post", "delete", "patch"}
MAX_SUMMARY_WORDS = 6
# Imperatives with which a summary may begin.
VERBS = {
    *(
        "Ban",
        "Change",
        "Check",
        "Claim",
        "Confirm",
        "Create",
        "Decide",
        "Delete",
        "Edit",
        "End",
        "Export",
    ),
    *("Find", "Follow", "Get", "Hide", "Import", "List", "Log", "Mark", "Preview", "Refresh"),
    *("Release", "Remove", "Replace", "Report", "Request", "Restore", "Retry", "Search", "Send"),
    *("Set", "Stream", "Test", "Update", "Vote"),
}
# Words that a reader whose first language is not English has to guess (CONTRIBUTING.md).
QUAINT = re.compile(
    r"\b(lest|whom|somebody|in place of|t[ao]ken? back|takes? .{1,20} back|is away|answers?"
    r"|this is your own|goes on|go on|there is nothing|nothing is here|good for)\b",
    re.IGNORECASE,
)
# What any request can lead to: NUL in its URL, an unknown query parameter, and our own defects.
ALWAYS = {"400", "422", "500"}
OF_A_BODY = {"400", "413", "415"}

Operation = tuple[str, str, dict[str, Any]]


@pytest.fixture(scope="session")
def operations(document: dict[str, Any]) -> list[Operation]:
    """Every operation, as (method, path, what is said of it)."""
    return [
        (method, path, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]


def test_the_committed_document_is_the_one_of_the_code(document: dict[str, Any]) -> None:
    committed = (ROOT / "openapi" / "openapi.json").read_text(encoding="utf-8")
    generated = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    assert committed == generated, "run: make openapi"


def test_every_message_to_a_webhook_is_declared_with_headers_and_an_example(
    document: dict[str, Any],
) -> None:
    assert set(document["webhooks"]) == {*WebhookEventType, TEST_TYPE}
    for kind, item in document["webhooks"].items():
        operation = item["post"]
        headers = [_resolve(document, one)["name"] for one in operation["parameters"]]
        assert headers == ["webhook-id", "webhook-timestamp", "webhook-signature"]
        body = operation["requestBody"]["content"]["application/json"]
        schema = _resolve(document, body["schema"])
        assert schema["properties"]["type"]["const"] == kind
        assert schema["examples"] == [body["example"]]
        assert body["example"]["type"] == kind


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    validate(document)


def test_the_document_uses_nothing_that_3_1_does_not_have(document: dict[str, Any]) -> None:
    assert [where for where, key in _walk(document) if key in {"itemSchema", "nullable"}] == []


def test_every_operation_is_described(operations: list[Operation]) -> None:
    for method, path, operation in operations:
        where = f"{method} {path}"
        assert method in METHODS, where
        assert operation["operationId"].isidentifier(), where
        words = operation["summary"].split()
        assert 0 < len(words) <= MAX_SUMMARY_WORDS, where
        assert words[0] in VERBS, where
        assert words[-1][-1].isalnum(), where
        # It adds to the summary, or it is absent.
        assert operation.get("description", "More.").endswith("."), where
        assert not operation.get("description", "").startswith(operation["summary"]), where
        for parameter in operation.get("parameters", []):
            of = f"{where} {parameter['name']}"
            assert parameter.get("description", "").endswith("."), of
            assert {"anyOf", "title", "description"} & set(parameter["schema"]) == set(), of
            assert isinstance(parameter["schema"].get("type", "string"), str), of


def test_every_operation_has_a_name_of_its_own(operations: list[Operation]) -> None:
    names = [operation["operationId"] for _, _, operation in operations]
    assert len(names) == len(set(names))


def test_every_operation_has_one_tag_and_every_tag_is_described(
    operations: list[Operation],
) -> None:
    used = [operation["tags"] for _, _, operation in operations]
    assert all(len(tags) == 1 for tags in used)
    assert {tag for tags in used for tag in tags} == {tag["name"] for tag in TAGS}
    assert all(tag["description"].endswith(".") for tag in TAGS)


def test_every_status_is_declared_that_the_shape_of_an_operation_implies(
    operations: list[Operation],
) -> None:
    for method, path, operation in operations:
        statuses = set(operation["responses"])
        expected = set(ALWAYS)
        expected |= OF_A_BODY if "requestBody" in operation else set()
        if any(parameter["in"] == "path" for parameter in operation.get("parameters", [])):
            expected.add("404")
        if any(operation["security"]):
            expected.add("401")
        if path.startswith("/v1/"):
            expected.add("503")
        headers = {p["name"] for p in operation.get("parameters", []) if p["in"] == "header"}
        expected |= {"412", "428"} if "If-Match" in headers else set()
        expected |= {"304"} if "If-None-Match" in headers else set()
        expected |= {"409"} if "Idempotency-Key" in headers else set()
        # Whatever writes is limited, but for leaving.
        if method != "get" and "session" not in path:
            expected.add("429")
        assert expected <= statuses, f"{method} {path} lacks {expected - statuses}"
        assert "405" not in statuses
        assert any(status < "3" for status in statuses)


def test_credentials_are_named_wherever_an_operation_reads_them(
    operations: list[Operation],
) -> None:
    for method, path, operation in operations:
        where = f"{method} {path}"
        # No credentials, optional ones, or one scope.
        assert isinstance(operation["security"], list), where
        match operation["security"]:
            case [] | [{"access_token": []}, {}]:
                pass
            case [{"access_token": [scope]}]:
                assert re.fullmatch(r"[a-z]+:(read|write|moderate)", scope), where
                assert scope in set(Scope), where
                assert "403" in operation["responses"], where
            case other:
                pytest.fail(f"{where}: {other}")


def test_every_error_is_a_problem(document: dict[str, Any], operations: list[Operation]) -> None:
    for method, path, operation in operations:
        for status, response in operation["responses"].items():
            if status >= "4":
                problems = _resolve(document, response)
                content = problems["content"][MEDIA_TYPE]
                assert set(problems["content"]) == {MEDIA_TYPE}, f"{method} {path} {status}"
                # One schema for each code, and the general one for those of later releases.
                *named, general = content["schema"]["anyOf"]
                assert general == {"$ref": "#/components/schemas/Problem"}
                codes = [
                    code
                    for reference in named
                    for part in _resolve(document, reference)["allOf"]
                    for code in part.get("properties", {}).get("code", {}).get("enum", ())
                ]
                assert codes == list(content["examples"])
                for code, example in content["examples"].items():
                    value = _resolve(document, example)["value"]
                    assert (value["status"], value["code"]) == (int(status), code)


def test_nullable_fields_are_written_for_generators(document: dict[str, Any]) -> None:
    """`type: [T, null]`; only beside a reference there is no other way than anyOf."""
    for where, part in _walk_objects(document):
        options = part.get("anyOf")
        if isinstance(options, list) and {"type": "null"} in options:
            others = [option for option in options if option != {"type": "null"}]
            assert [list(option) for option in others] == [["$ref"]], where


def test_no_field_has_a_default_that_makes_generators_demand_it(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        for field, part in schema.get("properties", {}).items():
            assert "default" not in part, f"{name} {field}"


def test_every_integer_has_a_format(document: dict[str, Any]) -> None:
    formats = {"int32": set[str](), "int64": set[str]()}
    for where, part in _walk_objects(document):
        kind = part.get("type")
        if kind == "integer" or (isinstance(kind, list) and "integer" in kind):
            formats[part["format"]].add(where.rpartition("/")[2])
            if part["format"] == "int32":
                assert -(2**31) <= part["minimum"] <= part["maximum"] < 2**31, where
    for counter in ("version", "comment_count", "descendant_count", "up", "down", "score"):
        assert counter in formats["int64"] - formats["int32"], counter


def test_enums_that_are_sent_have_names_that_generate(document: dict[str, Any]) -> None:
    """Of several enums with a value `new` Go makes several constants, in one namespace."""
    names: list[str] = []
    for name, schema in document["components"]["schemas"].items():
        if "enum" in schema:
            assert len(schema["x-enum-varnames"]) == len(schema["enum"]), name
            names += schema["x-enum-varnames"]
    assert len(names) == len(set(names)) > 0
    assert all(name.isidentifier() for name in names)


def test_enums_that_only_come_out_are_open(document: dict[str, Any]) -> None:
    for name in ("CommentState", "Role"):
        schema = document["components"]["schemas"][name]
        assert "enum" not in schema, name
        assert len(schema["x-extensible-enum"]) > 1, name
        assert "More values may be added." in schema["description"], name
    closed = {
        where
        for where, part in _walk_objects(document["components"]["schemas"])
        if isinstance(part.get("enum"), list) and not where.endswith("/code")
    }
    # Those that a client sends, here and nowhere else.
    assert closed == {
        *("/ArticleSort", "/CommentSort", "/FlatOrder"),
        *("/Audience", "/RuleAction", "/RuleKind"),
        *("/AppealState", "/ModerationReason", "/SanctionKind", "/ModerationAction", "/LogAction"),
        *("/ClaimFilter", "/QueueOrder", "/ReviewSource", "/WebhookEventType"),
        *("/InboxOrder", "/MailFrequency", "/NotificationKind"),
        *("/SubscriptionLevel", "/SubscriptionType"),
    }


def test_no_parameter_can_equal_a_fixed_part_of_a_path(document: dict[str, Any]) -> None:
    """`/v1/articles/{article}` never means `/v1/articles/by-external-id`, and so on."""
    refused: dict[str, Callable[[str], bool]] = {
        "{article}": is_reserved_slug,
        "{handle}": is_reserved_handle,
        "{comment_id}": lambda text: not _is_uuid(text),
        "{session_id}": lambda text: not _is_uuid(text),
        "{user_id}": lambda text: not _is_uuid(text),
    }
    paths = [path.split("/") for path in document["paths"]]
    clashes = {
        (parameter, fixed)
        for one in paths
        for other in paths
        for i, (parameter, fixed) in enumerate(zip(one, other, strict=False))
        if one[:i] == other[:i] and parameter in refused and not fixed.startswith("{")
    }
    assert ("{article}", "by-external-id") in clashes
    assert [clash for clash in clashes if not refused[clash[0]](clash[1])] == []


def test_every_answer_names_its_request(
    document: dict[str, Any], operations: list[Operation]
) -> None:
    for _, _, operation in operations:
        for response in operation["responses"].values():
            assert "X-Request-Id" in _resolve(document, response)["headers"]


def test_headers_stand_where_clients_need_them(
    document: dict[str, Any], operations: list[Operation]
) -> None:
    def names(operation: dict[str, Any], status: str) -> set[str]:
        return set(_resolve(document, operation["responses"][status])["headers"])

    for method, path, operation in operations:
        where = f"{method} {path}"
        responses = operation["responses"]
        for status in {"429", "503"} & set(responses):
            assert "Retry-After" in names(operation, status), where
        if "429" in responses:
            assert {"RateLimit", "RateLimit-Policy"} <= names(operation, "429"), where
        if "304" in responses:
            assert "ETag" in names(operation, "304") & names(operation, "200"), where
        if "401" in responses:
            assert "WWW-Authenticate" in names(operation, "401"), where


def test_every_schema_is_described_and_closed_where_it_comes_in(document: dict[str, Any]) -> None:
    incoming = {
        content["schema"]["$ref"].rpartition("/")[2]
        for item in document["paths"].values()
        for operation in item.values()
        for content in operation.get("requestBody", {}).get("content", {}).values()
        if "$ref" in content["schema"]  # no file
    }
    # And the parts of requests.
    waiting = list(incoming)
    while waiting:
        parts = str(document["components"]["schemas"][waiting.pop()])
        found = set(re.findall(r"schemas/(\w+)", parts)) - incoming
        incoming |= found
        waiting += found
    for name, schema in document["components"]["schemas"].items():
        assert schema.get("description", "").endswith("."), name
        if schema.get("type") != "object":
            continue
        if name in incoming:
            assert schema["additionalProperties"] is False, name
        elif not name.endswith("Problem"):
            # Clients have to bear what later releases add.
            assert "additionalProperties" not in schema, name
            assert set(schema.get("properties", {})) - {"errors"} <= set(
                schema.get("required", schema.get("properties", {}))
            ), name


def test_everything_that_comes_in_is_bounded(
    document: dict[str, Any], operations: list[Operation]
) -> None:
    for method, path, operation in operations:
        for parameter in operation.get("parameters", []):
            if parameter["name"] == "If-None-Match":
                continue  # What is no tag of ours, however long, is a tag of something else.
            fault = _find_unbounded(document, parameter["schema"])
            assert fault is None, f"{method} {path} {parameter['name']}: {fault}"
        for content in operation.get("requestBody", {}).get("content", {}).values():
            schema = _resolve(document, content["schema"])
            if schema["type"] == "string":  # a file
                assert "maxLength" in schema, f"{method} {path}"
            for name, part in schema.get("properties", {}).items():
                fault = _find_unbounded(document, part)
                assert fault is None, f"{method} {path} {name}: {fault}"


def test_every_body_has_an_example(document: dict[str, Any], operations: list[Operation]) -> None:
    for method, path, operation in operations:
        bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
        for body in bodies:
            for content in _resolve(document, body).get("content", {}).values():
                schema = _resolve(document, content["schema"])
                examples = schema.get("examples") or content.get("examples")
                assert examples or "example" in content, f"{method} {path}"


def test_every_example_fits_its_schema(document: dict[str, Any]) -> None:
    registry = Registry().with_resource(
        "urn:document", Resource(contents=document, specification=DRAFT202012)
    )
    for name, schema in document["components"]["schemas"].items():
        validator = Draft202012Validator(
            {"$ref": f"urn:document#/components/schemas/{name}"},
            registry=registry,
            format_checker=Draft202012Validator.FORMAT_CHECKER,
        )
        for example in schema.get("examples", []):
            validator.validate(example)
    problem = Draft202012Validator(
        {"$ref": "urn:document#/components/schemas/Problem"}, registry=registry
    )
    for example in document["components"]["examples"].values():
        problem.validate(example["value"])


def test_a_text_without_an_example_fails_the_document() -> None:
    title = {"type": "string", "title": "Title"}
    with pytest.raises(ValueError, match="give an example"):
        compose_example({"type": "object", "properties": {"title": title}}, {})


def test_the_document_is_written_in_plain_words(document: dict[str, Any]) -> None:
    texts = [
        (where, part[key])
        for where, part in _walk_objects(document)
        for key in ("summary", "description", "title")
        if isinstance(part.get(key), str)
    ]
    texts += [
        (code, example["value"]["detail"])
        for code, example in document["components"]["examples"].items()
    ]
    assert len(texts) > 200
    assert [text for text in texts if QUAINT.search(text[1])] == []


def test_nothing_is_kept_that_nobody_refers_to(document: dict[str, Any]) -> None:
    text = json.dumps(document)
    for kind, items in document["components"].items():
        if kind != "securitySchemes":
            unused = [name for name in items if f'"#/components/{kind}/{name}"' not in text]
            assert unused == [], kind


def _resolve(document: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in part:
        _, kind, name = part["$ref"].removeprefix("#/").split("/")
        part = document["components"][kind][name]
    return part


def _walk(part: Any, where: str = "") -> Iterator[tuple[str, str]]:
    items = part.items() if isinstance(part, dict) else enumerate(part)
    for key, value in items:
        if isinstance(part, dict):
            yield f"{where}/{key}", str(key)
        if isinstance(value, dict | list):
            yield from _walk(value, f"{where}/{key}")


def _walk_objects(part: Any, where: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every object but those inside examples, with where it is."""
    if isinstance(part, dict):
        yield where, part
    items = part.items() if isinstance(part, dict) else enumerate(part)
    for key, value in items:
        if isinstance(value, dict | list) and key not in ("example", "examples"):
            yield from _walk_objects(value, f"{where}/{key}")


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _find_unbounded(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any] | None:
    """Return the part of a schema that allows endless text, numbers or lists, if there is one."""
    schema = _resolve(document, schema)
    for option in schema.get("anyOf", []):
        if fault := _find_unbounded(document, option):
            return fault
    bounded = {"enum", "const"} & set(schema) or schema.get("format") in {"uuid", "date"}
    kind = schema.get("type")
    match kind[0] if isinstance(kind, list) else kind:
        case "string" if not bounded and "maxLength" not in schema:
            return schema
        case "integer" | "number" if not {"minimum", "maximum"} <= set(schema):
            return schema
        case "array" if "maxItems" not in schema:
            return schema
        case "array":
            return _find_unbounded(document, schema["items"])
    return None


def test_each_schema_has_a_name_of_its_own(document: dict[str, Any]) -> None:
    # Of two classes with one name FastAPI writes the modules, which generators stumble over.
    assert [name for name in document["components"]["schemas"] if "__" in name] == []
