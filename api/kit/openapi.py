"""The OpenAPI document: what FastAPI derives from the routes, made true and complete."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from api.kit.problems import ProblemError, ProblemRead

DESCRIPTION = """
Articles, people, and nested replies with @mentions.

Errors are `application/problem+json` (RFC 9457); branch on `code`. Lists are paged with cursors.
Edits send `If-Match`; requests that create may send `Idempotency-Key`. Only additions are made
within `/v1`.
"""

TAGS = [
    {"name": "sessions", "description": "Logging in and out."},
    {"name": "users", "description": "People and their profiles."},
    {"name": "articles", "description": "What is discussed."},
    {"name": "comments", "description": "The replies under an article, as a tree or in a row."},
    {"name": "mentions", "description": "Who is meant by an @name."},
    {"name": "probes", "description": "For those who run the service."},
]

# FastAPI documents its own validation errors, which are never sent here.
_UNUSED = ("HTTPValidationError", "ValidationError")


def build_openapi(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of the app; made once, then kept on the app."""
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
    schemas = document["components"]["schemas"]
    for name in _UNUSED:
        schemas.pop(name, None)
    _, definitions = models_json_schema(
        [(ProblemRead, "serialization"), (ProblemError, "serialization")],
        ref_template="#/components/schemas/{model}",
    )
    for schema in definitions["$defs"].values():
        schemas[schema["title"]] = schema
    app.openapi_schema = document
    return document
