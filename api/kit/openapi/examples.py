"""Examples of responses, put together from the examples of their fields.

So an example never lacks a field or shows one that is gone, and only plain text needs one.
"""

from typing import Any

_OF_FORMAT = {"uuid": "0198f2c5-6f7a-7c3e-9d2b-3a1f5e8c7b60", "date-time": "2026-11-22T09:30:00Z"}
_NULL = {"type": "null"}


def compose_example(
    schema: dict[str, Any], schemas: dict[str, Any], inside: frozenset[str] = frozenset()
) -> Any:
    """Return an example of a JSON schema; `inside` names the schemas that are being shown.

    A list of what is being shown already is empty: a tree ends there. Raises ValueError for text
    without an example.
    """
    if name := name_of(schema):
        return compose_example(schemas[name], schemas, inside | {name})
    for keyword in ("examples", "enum", "x-extensible-enum"):
        if keyword in schema:
            return schema[keyword][0]
    for option in schema.get("anyOf", ()):
        if option != _NULL:
            return compose_example(option, schemas, inside)
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = kind[0]  # The second is null.
    if kind == "object":
        return {
            name: compose_example(part, schemas, inside)
            for name, part in schema["properties"].items()
        }
    if kind == "array":
        items = schema["items"]
        return [] if name_of(items) in inside else [compose_example(items, schemas, inside)]
    return _compose_value(schema, kind)


def name_of(schema: dict[str, Any]) -> str:
    """Return the name that a schema refers to, empty when it says itself what it is."""
    reference: str = schema.get("$ref", "")
    return reference.rpartition("/")[2]


def _compose_value(schema: dict[str, Any], kind: object) -> Any:
    if "const" in schema:
        return schema["const"]
    if kind == "boolean":
        return False
    if kind == "integer":
        return schema.get("minimum", 0)
    if schema.get("format") in _OF_FORMAT:
        return _OF_FORMAT[schema["format"]]
    raise ValueError(f"give an example of this: {schema}")
