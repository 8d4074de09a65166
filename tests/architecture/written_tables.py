"""Which tables a module writes to, read from its statements and from the types of its variables.

A statement is an INSERT, UPDATE or DELETE of SQLAlchemy or one in text. An attribute that is set is
a write when it belongs to a row: the type comes from an annotation (of an argument, a variable, a
field, or what a function returns), never from the name of a variable.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import models

TABLES = {
    name: table.name
    for name, model in vars(models).items()
    if (table := getattr(model, "__table__", None)) is not None
}
WRITES = {"insert", "update", "delete"}
WRITTEN_IN_SQL = re.compile(r"\b(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM)\s+([a-z_]+)\b")
# A table whose name is put in later can be any.
WRITTEN_BY_FORMAT = re.compile(r"\b(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM)\s+\Z")

Function = ast.FunctionDef | ast.AsyncFunctionDef
Tables = frozenset[str]
_NONE: Tables = frozenset()


@dataclass
class Types:
    """The tables whose rows functions return and fields hold, by the functions' and fields' names.

    Names that are used twice count for both.
    """

    functions: dict[str, Tables] = field(default_factory=lambda: defaultdict(frozenset))
    fields: dict[str, Tables] = field(default_factory=lambda: defaultdict(frozenset))


def read_types(modules: Iterable[ast.Module]) -> Types:
    """Return what annotations say about functions and fields."""
    types = Types()
    for module in modules:
        for node in ast.walk(module):
            match node:
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    types.functions[node.name] |= _read_annotation(node.returns)
                case ast.ClassDef(body=body):
                    for statement in body:
                        match statement:
                            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation):
                                types.fields[name] |= _read_annotation(annotation)
                            case _:
                                pass
                case _:
                    pass
    return types


def find_writes(module: ast.Module, types: Types) -> Iterator[tuple[str, int]]:
    """Yield the table and the line of everything that writes, or may write."""
    for node in ast.walk(module):
        if isinstance(node, Function):  # outside functions no rows are changed
            yield from _find_changed_rows(node, types)
    yield from _find_statements(module)
    yield from _find_text(module)


def _find_statements(module: ast.Module) -> Iterator[tuple[str, int]]:
    """Yield the writes of SQLAlchemy's statements, and rows that are made."""
    constructors = WRITES | {
        alias.asname
        for node in ast.walk(module)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.name in WRITES and alias.asname
    }
    imported = _find_imported(module)
    for node in ast.walk(module):
        match node:
            case ast.Call(func=ast.Name(id=name), args=[target, *_]) if name in constructors:
                # A variable can be any table that the module knows.
                yield from ((table, node.lineno) for table in _read_target(target) or imported)
            case ast.Call(func=ast.Attribute(value=target, attr=attr)) if attr in WRITES:
                yield from ((table, node.lineno) for table in _read_target(target))
            case ast.Call(func=ast.Name(id=name)) if name in TABLES:
                yield TABLES[name], node.lineno
            case _:
                pass


def _find_text(module: ast.Module) -> Iterator[tuple[str, int]]:
    """Yield the writes in SQL that is text."""
    for node in ast.walk(module):
        match node:
            case ast.Constant(value=str(sql)):
                yield from ((table, node.lineno) for table in WRITTEN_IN_SQL.findall(sql))
            case ast.JoinedStr(values=parts):
                texts = [str(p.value) for p in parts[:-1] if isinstance(p, ast.Constant)]
                if any(map(WRITTEN_BY_FORMAT.search, texts)):
                    yield from ((table, node.lineno) for table in _find_imported(module))
            case _:
                pass


def _find_imported(module: ast.Module) -> set[str]:
    return {
        TABLES[alias.name]
        for node in ast.walk(module)
        if isinstance(node, ast.ImportFrom) and node.module == "models"
        for alias in node.names
        if alias.name in TABLES
    }


def _read_target(target: ast.expr) -> Tables:
    """Return the table that is named, as a class or as its `__table__`."""
    match target:
        case ast.Name(id=name) if name in TABLES:
            return frozenset({TABLES[name]})
        case ast.Attribute(value=value, attr="__table__"):
            return _read_target(value)
        case _:
            return _NONE


def _read_annotation(annotation: ast.expr | None) -> Tables:  # noqa: PLR0911 - one a shape
    """Return the tables that an annotation names, also inside lists and unions.

    `type[Table]` is no row, and neither is a statement: `Select[Table]`.
    """
    match annotation:
        case None:
            return _NONE
        case ast.Name(id=name):
            return frozenset({TABLES[name]}) if name in TABLES else _NONE
        case ast.Constant(value=str(text)):
            return _read_annotation(ast.parse(text, mode="eval").body)
        case ast.BinOp(left=left, right=right):
            return _read_annotation(left) | _read_annotation(right)
        case ast.Subscript(value=ast.Name(id="type" | "Select" | "Callable" | "Update")):
            return _NONE
        case ast.Subscript(slice=inner):
            return _read_annotation(inner)
        case ast.Tuple(elts=members):
            return _NONE.union(*map(_read_annotation, members))
        case _:
            return _NONE


def _find_changed_rows(function: Function, types: Types) -> Iterator[tuple[str, int]]:
    rows = _read_variables(function, types)
    for node in ast.walk(function):
        match node:
            case ast.Attribute(value=value, ctx=ast.Store() | ast.Del()):
                changed = value
            case ast.Call(func=ast.Name(id="setattr" | "delattr"), args=[changed, *_]):
                pass
            case ast.Call(func=ast.Attribute(value=changed, attr="sqlmodel_update")):
                pass
            case ast.Call(func=ast.Attribute(attr="delete" | "merge"), args=[changed, *_]):
                pass
            case _:
                continue
        yield from ((table, node.lineno) for table in _read_type(changed, rows, types))


def _read_variables(  # noqa: C901 - one case for each way of binding
    function: Function, types: Types
) -> Mapping[str, Tables]:
    """Return the tables whose rows the arguments and variables of a function are."""
    rows: dict[str, Tables] = defaultdict(frozenset)
    arguments = function.args
    for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
        rows[argument.arg] |= _read_annotation(argument.annotation)
    # Twice: a variable may come from one that is only bound further down.
    for _ in range(2):
        for node in ast.walk(function):
            match node:
                case ast.Assign(targets=[*targets], value=value):
                    pass
                case ast.NamedExpr(target=target, value=value):
                    targets = [target]
                case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation):
                    rows[name] |= _read_annotation(annotation)
                    continue
                case (
                    ast.For(target=target, iter=value)
                    | ast.AsyncFor(target=target, iter=value)
                    | ast.comprehension(target=target, iter=value)
                ):
                    targets = [target]
                case _:
                    continue
            for target in targets:
                for part in target.elts if isinstance(target, ast.Tuple) else [target]:
                    if isinstance(part, ast.Name):
                        rows[part.id] |= _read_type(value, rows, types)
    return rows


def _read_type(  # noqa: PLR0911 - one return for each shape
    value: ast.expr, rows: Mapping[str, Tables], types: Types
) -> Tables:
    """Return the tables whose row, or list of rows, an expression is."""
    match value:
        case ast.Name(id=name):
            return rows.get(name, _NONE)
        case ast.Await(value=inner) | ast.Subscript(value=inner):
            return _read_type(inner, rows, types)
        case ast.BoolOp(values=values):
            return _NONE.union(*(_read_type(one, rows, types) for one in values))
        case ast.IfExp(body=body, orelse=orelse):
            return _read_type(body, rows, types) | _read_type(orelse, rows, types)
        case ast.Call(func=ast.Name(id=name)) if name in TABLES:
            return frozenset({TABLES[name]})
        case ast.Call(func=ast.Attribute(attr="get" | "get_one"), args=[ast.Name(id=name), *_]) if (
            name in TABLES
        ):
            return frozenset({TABLES[name]})
        case ast.Call(func=ast.Attribute(value=inner, attr="values" | "items")):
            return _read_type(inner, rows, types)
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return types.functions.get(name, _NONE)
        case ast.Attribute(attr=name):
            return types.fields.get(name, _NONE)
        case _:
            return _NONE
