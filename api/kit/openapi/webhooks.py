"""The `webhooks` section of the document: requests that the service sends to other servers."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from api.kit.openapi.examples import compose_example
from api.kit.openapi.schemas import REF

# https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
PARAMETERS: dict[str, dict[str, Any]] = {
    "webhook-id": {
        "description": "The id of the message, the same in all attempts and for all webhooks: "
        "ignore a message that you have processed.",
        "schema": {"type": "string", "maxLength": 100},
        "example": "evt_0198f2c5-6f7a-7c3e-9d2b-3a1f5e8c7b60_17",
    },
    "webhook-timestamp": {
        "description": "When this attempt was made, in seconds since 1970: refuse what is older "
        "than five minutes.",
        "schema": {"type": "string", "pattern": "^[0-9]+$", "maxLength": 20},
        "example": "1795512600",
    },
    "webhook-signature": {
        "description": "Signatures separated by spaces, one with each secret: `v1,` and the "
        "HMAC-SHA256 in Base64 of `{webhook-id}.{webhook-timestamp}.{body}`. One must match.",
        "schema": {"type": "string", "maxLength": 200},
        "example": "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
    },
}
_RESPONSES = {
    "200": {"description": "Received. Any status from 200 to 299 will do."},
    "410": {"description": "Not wanted any more: the webhook is disabled."},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredMessage:
    """A message that the service sends: its name, and the model of its body."""

    name: str
    payload: type[BaseModel]


def make_message_schemas(messages: Iterable[DeclaredMessage]) -> dict[str, Any]:
    """Return the schemas of bodies, and of what is in them, by their names."""
    _, definitions = models_json_schema(
        [(message.payload, "serialization") for message in messages],
        ref_template=REF.format("schemas", "{model}"),
    )
    schemas: dict[str, Any] = definitions["$defs"]
    return schemas


def add_webhooks(document: dict[str, Any], messages: Iterable[DeclaredMessage], tag: str) -> None:
    """Add the section to a document that has the schemas."""
    components = document["components"]
    schemas = components["schemas"]
    components["parameters"] = {
        name: {"name": name, "in": "header", "required": True, **about}
        for name, about in PARAMETERS.items()
    }
    document["webhooks"] = {}
    for message in messages:
        schema = schemas[message.payload.__name__]
        schema.setdefault("examples", [compose_example(schema, schemas)])
        document["webhooks"][message.name] = {
            "post": {
                "tags": [tag],
                "summary": schema["description"].partition(".")[0],
                "operationId": f"receive_{message.name.replace('.', '_')}",
                "security": [],
                "parameters": [{"$ref": REF.format("parameters", header)} for header in PARAMETERS],
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {
                            "schema": {"$ref": REF.format("schemas", message.payload.__name__)},
                            "example": schema["examples"][0],
                        }
                    },
                },
                "responses": _RESPONSES,
            }
        }
