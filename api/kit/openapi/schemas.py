"""JSON schemas as generators of clients need them.

Pydantic's are right, and yet some generators fail on them: `anyOf` with null, numbers without a
format, enums whose values have the same names in one namespace, enums that reject what a later
release adds. What is changed here is checked by building clients from the document.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from pydantic.json_schema import models_json_schema

from api.kit.http.problem_responses import ProblemError, ProblemRead
from api.kit.openapi.examples import name_of

REF: Final = "#/components/{}/{}"

# FastAPI documents its own validation errors, which are never sent here.
_UNUSED = ("HTTPValidationError", "ValidationError")
_NULL = {"type": "null"}
_INT32_MAX = 2**31 - 1
_OPEN = "More values may be added."


def fix_schemas(document: dict[str, Any]) -> None:
    """Change all schemas of a document, those of parameters included."""
    schemas = document["components"]["schemas"]
    for name in _UNUSED:
        schemas.pop(name, None)
    schemas |= _make_problem_schemas()
    for schema in schemas.values():
        for part in schema.get("properties", {}).values():
            # Pydantic titles each property with its own name.
            part.pop("title", None)
            # openapi-typescript demands a property that has one; descriptions say it in words.
            part.pop("default", None)
    for part in _walk([document["paths"], schemas]):
        _merge_null(part)
        _set_format(part)
    sent = _find_sent(document)
    for name, schema in schemas.items():
        if name in sent:
            _name_values(name, schema)
        else:
            for part in _walk(schema):
                _open_enum(part)


def make_problem_schema(code: str, title: str) -> tuple[str, dict[str, Any]]:
    """Return the name and the schema of one problem: the general one, with its code."""
    name = "".join(word.capitalize() for word in code.split("_")) + "Problem"
    return name, {
        "title": name,
        "description": f"{title}.",
        "allOf": [
            {"$ref": REF.format("schemas", "Problem")},
            # An enum and not a const: generators merge it with the string of the general schema.
            {
                "type": "object",
                "properties": {"code": {"type": "string", "enum": [code]}},
                "required": ["code"],
            },
        ],
    }


def _make_problem_schemas() -> dict[str, Any]:
    _, definitions = models_json_schema(
        [(ProblemRead, "serialization"), (ProblemError, "serialization")],
        ref_template=REF.format("schemas", "{model}"),
    )
    return {schema["title"]: schema for schema in definitions["$defs"].values()}


def _walk(part: Any) -> Iterator[dict[str, Any]]:
    """Yield every object in a part of the document, but for examples and defaults."""
    if isinstance(part, list):
        for item in part:
            yield from _walk(item)
    elif isinstance(part, dict):
        yield part
        for key, value in part.items():
            if key not in ("example", "examples", "default"):
                yield from _walk(value)


def _merge_null(schema: dict[str, Any]) -> None:
    """Write `anyOf: [{type: T}, {type: null}]` as `type: [T, null]`; a `$ref` stays as it is."""
    options = schema.get("anyOf")
    if not isinstance(options, list) or _NULL not in options:
        return
    others = [option for option in options if option != _NULL]
    if len(others) == 1 and isinstance(others[0].get("type"), str):
        rest = {key: value for key, value in schema.items() if key != "anyOf"}
        schema.clear()
        schema |= others[0] | {"type": [others[0]["type"], "null"]} | rest


def _set_format(schema: dict[str, Any]) -> None:
    """Say how large an integer can get: 32 bits where both bounds fit into them."""
    if "integer" in _types_of(schema) and "format" not in schema:
        bounds = (schema.get("minimum"), schema.get("maximum"))
        fits = all(bound is not None and abs(bound) <= _INT32_MAX for bound in bounds)
        schema["format"] = "int32" if fits else "int64"


def _find_sent(document: dict[str, Any]) -> set[str]:
    """Return the names of all schemas that a client sends."""
    schemas = document["components"]["schemas"]
    waiting = [
        part
        for path in document["paths"].values()
        for operation in path.values()
        for part in (operation.get("parameters", []), operation.get("requestBody", {}))
    ]
    found: set[str] = set()
    while waiting:
        for part in _walk(waiting.pop()):
            name = name_of(part)
            if name and name not in found:
                found.add(name)
                waiting.append(schemas[name])
    return found


def _name_values(name: str, schema: dict[str, Any]) -> None:
    """Name the values of an enum, each after its enum: Go has one namespace for all of them."""
    if "enum" in schema:
        prefix = re.sub(r"(?<!^)(?=[A-Z])", "_", name)
        schema["x-enum-varnames"] = [
            "_".join([prefix, *re.findall(r"[A-Za-z0-9]+", str(value))]).upper()
            for value in schema["enum"]
        ]


def _open_enum(schema: dict[str, Any]) -> None:
    """Make an enum of a response open: clients must not fail on what later releases add."""
    values = schema.get("enum")
    if isinstance(values, list):
        del schema["enum"]
        schema["x-extensible-enum"] = [value for value in values if value is not None]
        schema["description"] = f"{schema.get('description', '')} {_OPEN}".strip()


def _types_of(schema: dict[str, Any]) -> list[Any]:
    types = schema.get("type")
    return types if isinstance(types, list) else [types]
