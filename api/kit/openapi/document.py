"""The OpenAPI document: what FastAPI derives from the routes, made true and complete.

What many operations share is said here once, from the shape of the operation itself: which headers
a response has, which credentials it needs, what a response looks like. What only the operation
knows (its problems, its parameters, its examples) stands at the route and at its schemas.
"""

import json
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.kit.http.problem_responses import MEDIA_TYPE
from api.kit.http.routing import SECURITY_SCHEME
from api.kit.openapi.examples import compose_example, name_of
from api.kit.openapi.schemas import REF, fix_schemas, make_problem_schema
from api.kit.openapi.webhooks import DeclaredMessage, add_webhooks, make_message_schemas

DESCRIPTION = """
Articles, people, and nested replies with @mentions.

Errors are `application/problem+json` (RFC 9457); branch on `code`. Lists are paged with cursors.
Edits send `If-Match`; requests that create may send `Idempotency-Key`.

HEAD works wherever GET does, and OPTIONS lists the methods of a path. Unknown fields and query
parameters are refused. Only additions are made within `/v1`: ignore unknown response fields, and
accept unknown values of `x-extensible-enum` and unknown problem codes.
"""

TAGS = [
    {"name": "sessions", "description": "Logging in and out."},
    {"name": "users", "description": "People and their profiles."},
    {"name": "articles", "description": "The articles that are discussed."},
    {"name": "comments", "description": "The replies to an article, as a tree or as a flat list."},
    {"name": "votes", "description": "Votes, and what else depends on the reader."},
    {"name": "notifications", "description": "The inbox, and what people follow."},
    {"name": "moderation", "description": "Sanctions of people, and decisions about texts."},
    {"name": "feeds", "description": "Atom feeds, for feed readers."},
    {"name": "mentions", "description": "People who are mentioned in a text."},
    {"name": "live", "description": "Streams of changes, as server-sent events."},
    {"name": "webhooks", "description": "Messages to other systems about what happens."},
    {"name": "probes", "description": "Health checks and metrics, for operators."},
]

# A header that is `required` is on every response that names it.
BEARER = {
    "type": "http",
    "description": "The access_token of POST /v1/sessions, which covers every scope.",
    "scheme": "bearer",
    "bearerFormat": "opaque",
}
HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-Id": {
        "description": "The id of the request, for problem reports. Send a plain one to choose it.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"},
    },
    "ETag": {
        "description": "The tag of this response, for If-None-Match and If-Match.",
        "required": True,
        "schema": {"type": "string"},
        "example": '"1-6b86b273ff34fce1-9f86d081884c7d65"',
    },
    "Cache-Control": {
        "description": "Who may store the response; each use has to be revalidated with the ETag.",
        "required": True,
        "schema": {"type": "string", "enum": ["public, no-cache", "private, no-cache"]},
    },
    "Location": {
        "description": "The path of the new resource.",
        "required": True,
        "schema": {"type": "string", "format": "uri-reference"},
    },
    "Link": {
        "description": 'The next page, as `<...>; rel="next"` (RFC 8288). Not on the last one.',
        "schema": {"type": "string"},
    },
    "Idempotent-Replayed": {
        "description": "Present if this is the response to an earlier request with the same key.",
        "schema": {"type": "string", "const": "true"},
    },
    "RateLimit-Policy": {
        "description": "The quotas that count this request: q requests in w seconds.",
        "schema": {"type": "string"},
        "example": '"comment_create";q=10;w=60',
    },
    "RateLimit": {
        "description": "What is left of the quotas: r requests; more are available in t seconds.",
        "schema": {"type": "string"},
        "example": '"comment_create";r=9;t=42',
    },
    "Retry-After": {
        "description": "Seconds to wait before the request is sent again.",
        "schema": {"type": "integer", "format": "int32", "minimum": 0, "maximum": 2**31 - 1},
    },
    "WWW-Authenticate": {
        "description": "The scheme of the credentials; with `insufficient_scope`, also the scope "
        "that the token lacks (RFC 6750).",
        "schema": {"type": "string", "pattern": "^Bearer"},
        "example": "Bearer",
    },
}

_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The ETag of the response that you have: 304 if it is still current.",
    "schema": {"type": "string"},
}


def build_openapi(app: FastAPI, messages: Sequence[DeclaredMessage] = ()) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of the app; made once, then kept on the app.

    `messages` are what the service sends to other servers.
    """
    if app.openapi_schema is not None:
        return app.openapi_schema
    document = get_openapi(
        title="Palaver",
        version=app.version,
        openapi_version="3.1.0",
        summary="A discussion-forum backend.",
        description=DESCRIPTION.strip(),
        routes=app.routes,
        tags=TAGS,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        servers=[{"url": "/", "description": "This server."}],
    )
    components = document["components"]
    components |= {
        "securitySchemes": {SECURITY_SCHEME: BEARER},
        "headers": HEADERS,
        "responses": {},
        "examples": {},
    }
    components["schemas"] = make_message_schemas(messages) | components["schemas"]
    fix_schemas(document)
    for path in document["paths"].values():
        is_edited = any(map(_takes_if_match, path.values()))
        for method, operation in path.items():
            _fix_operation(method, operation, components, is_edited=is_edited and method == "get")
    if messages:
        add_webhooks(document, messages, tag="webhooks")
    for kind in ("schemas", "responses", "examples"):
        components[kind] = dict(sorted(components[kind].items()))
    # In FastAPI's own model of a document every bound is a float.
    app.openapi_schema = json.loads(json.dumps(document), parse_float=_read_number)
    return app.openapi_schema


def _fix_operation(
    method: str, operation: dict[str, Any], components: dict[str, Any], *, is_edited: bool
) -> None:
    _split_docstring(operation)
    responses = operation["responses"]
    # FastAPI's, for parameters in the path; ours is 404.
    if MEDIA_TYPE not in responses.get("422", {}).get("content", {MEDIA_TYPE: {}}):
        del responses["422"]
    _fix_parameters(operation)
    named = _name_headers(method, operation, components["schemas"], is_edited=is_edited)
    for status, response in responses.items():
        response["headers"] = {
            name: {"$ref": REF.format("headers", name)}
            for name in HEADERS
            if name in response.get("headers", {}) or status in named.get(name, ())
        }
        if MEDIA_TYPE in response.get("content", {}):
            responses[status] = _hoist_problems(response, components)
        else:
            _describe_success(status, response, components["schemas"])
    operation["responses"] = dict(sorted(responses.items()))


def _split_docstring(operation: dict[str, Any]) -> None:
    """Make the first sentence of a route's docstring the summary, the rest the description."""
    text = " ".join(operation.pop("description").split())
    summary, _, description = text.partition(". ")
    operation["summary"] = summary.rstrip(".")
    if description:
        operation["description"] = description


def _takes_if_match(operation: dict[str, Any]) -> bool:
    return any(one["name"].lower() == "if-match" for one in operation.get("parameters", ()))


def _fix_parameters(operation: dict[str, Any]) -> None:
    """Say of each parameter what can be sent: no null, and headers as they are written."""
    parameters = operation.get("parameters", [])
    if "304" in operation["responses"]:
        operation["parameters"] = parameters = [*parameters, _IF_NONE_MATCH]
    for parameter in parameters:
        schema = parameter["schema"]
        options = [option for option in schema.get("anyOf", ()) if option != {"type": "null"}]
        if len(options) == 1:
            del schema["anyOf"]
            schema |= options[0]
        if isinstance(schema.get("type"), list):
            [schema["type"]] = [kind for kind in schema["type"] if kind != "null"]
        for said_by_the_parameter in ("title", "description"):
            schema.pop(said_by_the_parameter, None)
        if parameter["in"] == "header":
            parameter["name"] = parameter["name"].title()
            parameter["required"] |= parameter["name"] == "If-Match"


def _name_headers(
    method: str, operation: dict[str, Any], schemas: dict[str, Any], *, is_edited: bool
) -> dict[str, set[str]]:
    """Return of each header the statuses that have it.

    `is_edited` says that it gets what another operation edits with If-Match.
    """
    responses = operation["responses"]
    done = {status for status in responses if status < "4"}
    parameters = {parameter["name"] for parameter in operation.get("parameters", ())}
    # A POST takes a key exactly where it makes a resource that can be read at an address.
    creates = "201" in done and ("Idempotency-Key" in parameters or method == "put")
    # Unless its route says that there is none.
    creates = creates and not operation.pop("x-has-no-address", False)
    conditional = {"If-Match", "If-None-Match"}
    is_tagged = creates or is_edited or not parameters.isdisjoint(conditional)
    bodies = [_find_schema(responses[status], schemas) for status in done]
    is_paged = any("page" in body.get("properties", {}) for body in bodies)
    limited = done | {"429"} if "429" in responses else set()
    return {
        "X-Request-Id": set(responses),
        "ETag": done - {"204"} if is_tagged else set(),
        "Cache-Control": done if "304" in done else set(),
        "Location": ({"201"} if creates else set()) | (done & {"202"}),
        "Link": {"200"} if is_paged else set(),
        "Idempotent-Replayed": done if "Idempotency-Key" in parameters else set(),
        "RateLimit-Policy": limited,
        "RateLimit": limited,
        "WWW-Authenticate": {"401", "403"},
    }


def _describe_success(status: str, response: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Describe a response by its schema, and give that an example."""
    if status == "204":
        response["description"] = "No content."
    if schema := _find_schema(response, schemas):
        response["description"] = schema["description"].split("\n\n")[0]
        schema.setdefault("examples", [compose_example(schema, schemas)])


def _find_schema(response: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """Return the named schema of a response, empty where it has none."""
    content = response.get("content", {}).get("application/json", {})
    schema: dict[str, Any] = schemas.get(name_of(content.get("schema", {})), {})
    return schema


def _hoist_problems(response: dict[str, Any], components: dict[str, Any]) -> dict[str, str]:
    """Keep one copy of a response with the same set of problems; many operations refer to it."""
    content = response["content"][MEDIA_TYPE]
    problems = dict(sorted(content["examples"].items()))
    components["examples"] |= problems
    content["examples"] = {code: {"$ref": REF.format("examples", code)} for code in problems}
    response["description"] = " ".join(f"{example['summary']}." for example in problems.values())
    named = dict(make_problem_schema(code, one["summary"]) for code, one in problems.items())
    components["schemas"] |= named
    # The general one comes last: later releases may add a code.
    content["schema"] = {
        "anyOf": [{"$ref": REF.format("schemas", name)} for name in (*named, "Problem")]
    }
    name = ".".join(problems)
    components["responses"][name] = response
    return {"$ref": REF.format("responses", name)}


def _read_number(text: str) -> float:
    number = float(text)
    return int(number) if number.is_integer() else number
