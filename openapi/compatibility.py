"""What breaks clients: the differences between two versions of the OpenAPI document.

    python -m openapi.compatibility OLD NEW DECISIONS

prints each breaking change from one file to the other, one a line, and exits with status 1 unless
a Markdown file in the folder of decisions names it, as printed and in backticks.

A change breaks when a client that was generated from the old document stops to compile, sends what
is refused, or gets what it cannot read. What the document says of later releases is respected: new
response fields, new values of `x-extensible-enum` and new problem codes break nothing.
"""

import json
import operator
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

Schema = Mapping[str, Any]

_NULL = {"type": "null"}
_UPPER_BOUNDS = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_LOWER_BOUNDS = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")


def find_breaking_changes(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Return each breaking change once, as text that names where it is and what changed."""
    return list(dict.fromkeys(_Comparison(old, new).compare()))


class _Comparison:
    """A walk through both documents, side by side."""

    def __init__(self, old: dict[str, Any], new: dict[str, Any]) -> None:
        self.old = old
        self.new = new
        # Pairs of named schemas that were compared, each as what is sent and as what is received.
        self.compared: set[tuple[str, str, bool]] = set()

    def compare(self) -> Iterator[str]:
        common = []
        for path, item in self.old["paths"].items():
            for method, operation in item.items():
                where = f"{method.upper()} {path}"
                other = self.new["paths"].get(path, {}).get(method)
                if other is None:
                    yield f"{where}: removed"
                else:
                    common.append((operation, other, where))
        # All that is sent first: `_compare_options` asks what is.
        for before, after, where in common:
            yield from self._compare_requests(before, after, where)
        for before, after, where in common:
            yield from self._compare_responses(before, after, where)
        schemas = self.new.get("components", {}).get("schemas", {})
        for name in self.old.get("components", {}).get("schemas", {}):
            if name not in schemas:
                yield f"{name}: schema removed"

    def _compare_requests(self, old: Schema, new: Schema, where: str) -> Iterator[str]:
        if old.get("operationId") != new.get("operationId"):
            yield f"{where}: operationId changed from {old.get('operationId')}"
        yield from _compare_security(
            old.get("security", self.old.get("security", [])),
            new.get("security", self.new.get("security", [])),
            where,
        )
        yield from self._compare_parameters(old, new, where)
        yield from self._compare_request_bodies(old, new, where)

    def _compare_responses(self, old: Schema, new: Schema, where: str) -> Iterator[str]:
        for status, response in old["responses"].items():
            if status not in new["responses"]:
                yield f"{where}: response {status} removed"
                continue
            before = _resolve(self.old, response)
            after = _resolve(self.new, new["responses"][status])
            for header in before.get("headers", {}):
                if header not in after.get("headers", {}):
                    yield f"{where}: header {header} of response {status} removed"
            yield from self._compare_contents(before, after, f"{where} {status}", sent=False)

    def _compare_parameters(self, old: Schema, new: Schema, where: str) -> Iterator[str]:
        before, after = _index_parameters(self.old, old), _index_parameters(self.new, new)
        for name, parameter in before.items():
            if name not in after:
                yield f"{where}: parameter {name} removed"
                continue
            if after[name].get("required", False) and not parameter.get("required", False):
                yield f"{where}: parameter {name} became required"
            yield from self._compare_schemas(
                parameter["schema"], after[name]["schema"], f"{where} parameter {name}", sent=True
            )
        for name, parameter in after.items():
            if name not in before and parameter.get("required", False):
                yield f"{where}: required parameter {name} added"

    def _compare_request_bodies(self, old: Schema, new: Schema, where: str) -> Iterator[str]:
        before = _resolve(self.old, old.get("requestBody", {}))
        after = _resolve(self.new, new.get("requestBody", {}))
        if before and not after:
            yield f"{where}: request body removed"
            return
        if after.get("required", False) and not before.get("required", False):
            yield f"{where}: request body became required"
        yield from self._compare_contents(before, after, f"{where} body", sent=True)

    def _compare_contents(
        self, old: Schema, new: Schema, where: str, *, sent: bool
    ) -> Iterator[str]:
        contents = new.get("content", {})
        for media_type, content in old.get("content", {}).items():
            if media_type not in contents:
                yield f"{where}: content type {media_type} removed"
            else:
                before, after = content.get("schema", {}), contents[media_type].get("schema", {})
                yield from self._compare_schemas(before, after, where, sent=sent)

    def _compare_schemas(
        self, old: Schema, new: Schema, where: str, *, sent: bool
    ) -> Iterator[str]:
        """Yield what changed between two schemas of what clients send, or else receive."""
        (before, was_nullable), (after, is_nullable) = (
            _list_options(self.old, old),
            _list_options(self.new, new),
        )
        if sent and was_nullable and not is_nullable:
            yield f"{where}: null is not accepted"
        if not sent and is_nullable and not was_nullable:
            yield f"{where}: may be null"
        if len(before) == len(after) == 1:
            yield from self._compare_options(before[0], after[0], where, sent=sent)
            return
        old_names = {_identify(option): option for option in before}
        new_names = {_identify(option): option for option in after}
        for name, option in old_names.items():
            if name in new_names:
                yield from self._compare_options(option, new_names[name], where, sent=sent)
            elif sent:
                yield f"{where}: option {name} removed"
        for name, option in new_names.items():
            # A special case of an old option, such as a new problem, can be read as that.
            parts = {_identify(part) for part in _resolve(self.new, option).get("allOf", ())}
            if not sent and name not in old_names and not parts & old_names.keys():
                yield f"{where}: option {name} added"

    def _compare_options(
        self, old: Schema, new: Schema, where: str, *, sent: bool
    ) -> Iterator[str]:
        names = (_name_of(old), _name_of(new))
        if all(names):
            if (*names, sent) in self.compared:
                return
            self.compared.add((*names, sent))
            where = names[0]
        old, new = _flatten(self.old, old), _flatten(self.new, new)
        yield from _compare_types(old, new, where, sent=sent)
        # A value that clients send as well is received by those who sent it.
        is_sent = sent or (*names, True) in self.compared
        yield from _compare_values(old, new, where, sent=is_sent)
        if sent:
            yield from _compare_bounds(old, new, where)
        yield from self._compare_properties(old, new, where, sent=sent)
        if "items" in old and "items" in new:
            yield from self._compare_schemas(old["items"], new["items"], f"{where}[]", sent=sent)

    def _compare_properties(
        self, old: Schema, new: Schema, where: str, *, sent: bool
    ) -> Iterator[str]:
        before, after = old.get("properties", {}), new.get("properties", {})
        were_required, are_required = set(old.get("required", ())), set(new.get("required", ()))
        for name, part in before.items():
            if name not in after:
                yield f"{where}.{name}: removed"
                continue
            if sent and name in are_required - were_required:
                yield f"{where}.{name}: became required"
            if not sent and name in were_required - are_required:
                yield f"{where}.{name}: became optional"
            yield from self._compare_schemas(part, after[name], f"{where}.{name}", sent=sent)
        if sent and before:
            for name in after:
                if name not in before and name in are_required:
                    yield f"{where}.{name}: required field added"


def _compare_security(
    old: list[dict[str, list[str]]], new: list[dict[str, list[str]]], where: str
) -> Iterator[str]:
    """Whoever could call an operation still can: each old way has a new one that asks no more."""
    for way in old or [{}]:
        if not any(
            all(
                scheme in way and set(scopes) <= set(way[scheme])
                for scheme, scopes in other.items()
            )
            for other in new or [{}]
        ):
            yield f"{where}: security tightened"
            return


def _compare_types(old: Schema, new: Schema, where: str, *, sent: bool) -> Iterator[str]:
    before, after = _list_types(old), _list_types(new)
    lost = before - after if sent else after - before
    if before and after and lost:
        yield f"{where}: type changed from {_join(before)} to {_join(after)}"
    elif old.get("format") != new.get("format") and not _adds_size(old, new):
        yield f"{where}: format changed from {old.get('format')} to {new.get('format')}"


def _adds_size(old: Schema, new: Schema) -> bool:
    """Return whether an integer only got a size; its bounds are compared by themselves."""
    return "format" not in old and new.get("format") in ("int32", "int64")


def _compare_values(old: Schema, new: Schema, where: str, *, sent: bool) -> Iterator[str]:
    before, after = _list_values(old), _list_values(new)
    if sent and before is None and after is not None:
        yield f"{where}: only some values are accepted"
    if not sent and before is not None and after is None:
        yield f"{where}: any value may be sent"
    if before is not None and after is not None:
        yield from _compare_closed_values(before, after, where, sent=sent)
    known = new.get("x-extensible-enum", ())
    gone = [value for value in old.get("x-extensible-enum", ()) if value not in known]
    yield from (f"{where}: value {value} removed" for value in gone)
    names = _name_values(new)
    for value, name in _name_values(old).items():
        if names.get(value, name) != name:
            yield f"{where}: name of value {value} changed from {name}"


def _compare_closed_values(
    before: list[Any], after: list[Any], where: str, *, sent: bool
) -> Iterator[str]:
    for value in before:
        if value not in after:
            yield f"{where}: value {value} removed"
    for value in after:
        if not sent and value not in before:
            yield f"{where}: value {value} added"


def _compare_bounds(old: Schema, new: Schema, where: str) -> Iterator[str]:
    for names, is_stricter in ((_UPPER_BOUNDS, operator.lt), (_LOWER_BOUNDS, operator.gt)):
        for name in names:
            if name in new and (name not in old or is_stricter(new[name], old[name])):
                yield f"{where}: {name} tightened from {old.get(name)} to {new[name]}"
    if "pattern" in new and old.get("pattern") != new["pattern"]:
        yield f"{where}: pattern changed"
    if new.get("additionalProperties") is False and old.get("additionalProperties") is not False:
        yield f"{where}: unknown fields are refused"


def _list_options(document: Schema, schema: Schema) -> tuple[list[Schema], bool]:
    """Return the alternatives of a schema, itself if it has none, and whether null is one."""
    found = _resolve(document, schema)
    listed = [*found.get("anyOf", ()), *found.get("oneOf", ())]
    is_nullable = _NULL in listed or "null" in _list_types(found, with_null=True)
    return [option for option in listed if option != _NULL] or [schema], is_nullable


def _flatten(document: Schema, schema: Schema) -> Schema:
    """Return a schema with its reference followed and its `allOf` merged into it."""
    found = _resolve(document, schema)
    if "allOf" not in found:
        return found
    merged: dict[str, Any] = {key: value for key, value in found.items() if key != "allOf"}
    for part in found["allOf"]:
        for key, value in _flatten(document, part).items():
            if key == "properties":
                merged[key] = {**merged.get(key, {}), **value}
            elif key == "required":
                merged[key] = [*merged.get(key, ()), *value]
            else:
                merged.setdefault(key, value)
    return merged


def _list_types(schema: Schema, *, with_null: bool = False) -> set[str]:
    """Return the types that a schema names, none if it allows any."""
    types = schema.get("type", [])
    found = set(types if isinstance(types, list) else [types])
    return found if with_null else found - {"null"}


def _list_values(schema: Schema) -> list[Any] | None:
    values: list[Any] | None = schema.get("enum")
    return [schema["const"]] if "const" in schema else values


def _name_values(schema: Schema) -> dict[Any, str]:
    return dict(zip(schema.get("enum", ()), schema.get("x-enum-varnames", ()), strict=False))


def _index_parameters(document: Schema, operation: Schema) -> dict[str, Schema]:
    parameters = [_resolve(document, one) for one in operation.get("parameters", ())]
    return {f"{one['name']} in {one['in']}": one for one in parameters}


def _resolve(document: Schema, part: Schema) -> Schema:
    while "$ref" in part:
        _, _, kind, name = part["$ref"].split("/")
        part = document["components"][kind].get(name, {})
    return part


def _name_of(schema: Schema) -> str:
    reference: str = schema.get("$ref", "")
    return reference.rpartition("/")[2]


def _identify(schema: Schema) -> str:
    return _name_of(schema) or json.dumps(schema.get("type"))


def _join(types: set[str]) -> str:
    return " or ".join(sorted(types))


def main(old: str, new: str, decisions: str) -> int:
    """Print the breaking changes that no decision names; return the exit status."""
    documents = [json.loads(Path(file).read_text(encoding="utf-8")) for file in (old, new)]
    records = [file.read_text(encoding="utf-8") for file in Path(decisions).glob("*.md")]
    changes = find_breaking_changes(*documents)
    unnamed = [one for one in changes if not any(f"`{one}`" in record for record in records)]
    for change in unnamed:
        print(change)
    return 1 if unnamed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
