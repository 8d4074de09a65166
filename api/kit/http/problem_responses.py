"""Problems on the wire: RFC 9457 `application/problem+json`, and how the document shows them."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import orjson
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from api.kit.problems import Problem

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:palaver:problem:"
# A body of 64 KiB can hold thousands of faults; nobody reads more than these.
MAX_ERRORS = 50
_UNAUTHORIZED = 401


class ProblemError(BaseModel):
    """One error in a request that is not valid."""

    model_config = ConfigDict(title="ProblemError")

    pointer: str = Field(
        description="JSON pointer to the value; begins with body, query or header.",
        examples=["/body/title"],
    )
    code: str = Field(description="The kind of error. Stable.", examples=["string_too_short"])
    detail: str = Field(description="What is wrong, for people to read.")


class ProblemRead(BaseModel):
    """An error (RFC 9457). Every error response has this shape."""

    model_config = ConfigDict(title="Problem", extra="allow")

    type: str = Field(examples=["urn:palaver:problem:article_not_found"])
    title: str = Field(description="What is wrong; always the same for a code.")
    status: int = Field(ge=400, le=599)
    detail: str = Field(description="What to do.")
    instance: str = Field(
        description="The path of the request.", json_schema_extra={"format": "uri-reference"}
    )
    code: str = Field(description="The kind of problem. Stable: branch on this.")
    request_id: str = Field(description="The id of the request, for problem reports.")
    errors: list[ProblemError] = Field(
        default_factory=list, description="With `validation_failed`: each error and where it is."
    )


def describe_error(location: Sequence[object], code: str, detail: str) -> dict[str, str]:
    """Return one entry of `errors`: `location` begins with body, query, path or header."""
    pointer = "".join(f"/{_escape(part)}" for part in location)
    return {"pointer": pointer, "code": code, "detail": detail}


def _escape(part: object) -> str:
    """Escape one token of a JSON pointer (RFC 6901), bounded: a key of the body is client text."""
    return str(part)[:100].replace("~", "~0").replace("/", "~1")


def make_problem_response(problem: Problem, request: Request) -> Response:
    """Return the response to a request that failed; of the request it repeats only the path."""
    content = {
        "type": TYPE_PREFIX + problem.code,
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        # The scope has it decoded; this is a URI reference again.
        "instance": quote(request.scope["path"]),
        "code": problem.code,
        "request_id": request.scope.get("palaver.request_id", ""),
        **problem.members,
    }
    response = Response(orjson.dumps(content), status_code=problem.status, media_type=MEDIA_TYPE)
    if problem.status == _UNAUTHORIZED:
        # RFC 9110, 15.5.2: a 401 names the scheme to authenticate with.
        response.headers["WWW-Authenticate"] = "Bearer"
    for name, value in problem.headers:
        response.headers[name] = value
    return response


def problems(*classes: type[Problem]) -> dict[int | str, dict[str, Any]]:
    """Return the `responses=` of a route that raises these problems."""
    responses: dict[int | str, dict[str, Any]] = {}
    for problem in classes:
        entry = responses.setdefault(
            problem.status,
            {
                "description": "",
                "content": {
                    MEDIA_TYPE: {
                        "schema": {"$ref": "#/components/schemas/Problem"},
                        "examples": {},
                    }
                },
            },
        )
        examples = entry["content"][MEDIA_TYPE]["examples"]
        if problem.code in examples:
            continue
        entry["description"] += (" " if entry["description"] else "") + f"{problem.title}."
        examples[problem.code] = {
            "summary": problem.title,
            "value": {
                "type": TYPE_PREFIX + problem.code,
                "title": problem.title,
                "status": problem.status,
                "detail": problem.detail,
                "instance": "/v1/...",
                "code": problem.code,
                "request_id": "0198f2c5-6f7a-7c3e-9d2b-3a1f5e8c7b60",
                **problem.example,
            },
        }
        if any(name == "Retry-After" for name, _ in problem.headers):
            entry["headers"] = {"Retry-After": {"$ref": "#/components/headers/Retry-After"}}
    return responses
