"""Tests use what a module offers to others: a private name can change without notice."""

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.source import read_modules

# Public all the same: the underscore keeps them apart from the fields.
OF_NAMED_TUPLES = {"_asdict", "_fields", "_make", "_replace"}


def test_no_test_uses_a_private_name() -> None:
    found = [
        f"{path}:{line} uses {name}"
        for path, module in read_modules("tests").items()
        for name, line in _find_private_names(module)
    ]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "assert cache._entries == {}",
        "client.pool._slots._value",
        "from api.kit.redis.client import _means_unavailable",
        "from redis._parsers import Parser",
        "import redis._parsers",
        "monkeypatch.setattr(passwords, '_verify', verify)",
        "monkeypatch.setattr('api.accounts.passwords._verify', verify)",
        "getattr(edge, '_app')",
    ],
)
def test_each_way_of_using_one_is_seen(source: str) -> None:
    assert list(_find_private_names(ast.parse(source)))


@pytest.mark.parametrize(
    "source",
    [
        "self._count += 1",
        "module.__name__",
        "Row._fields",
        "_count = 1\n_count += 1",
        "monkeypatch.setattr(worker, 'BATCH', 2)",
    ],
)
def test_a_module_and_an_object_may_use_their_own(source: str) -> None:
    assert list(_find_private_names(ast.parse(source))) == []


def _find_private_names(module: ast.Module) -> Iterator[tuple[str, int]]:
    for node in ast.walk(module):
        match node:
            case ast.Attribute(value=ast.Name(id="self" | "cls")):
                names = []
            case ast.Attribute(attr=attr):
                names = [attr]
            case ast.ImportFrom(module=str(source), names=aliases):
                names = [*source.split("."), *(alias.name for alias in aliases)]
            case ast.Import(names=aliases):
                names = [part for alias in aliases for part in alias.name.split(".")]
            case ast.Call(
                func=ast.Attribute(attr="setattr" | "delattr")
                | ast.Name(id="getattr" | "setattr" | "delattr"),
                args=arguments,
            ):
                texts = [one.value for one in arguments[:2] if isinstance(one, ast.Constant)]
                names = [part for text in texts for part in str(text).split(".")]
            case _:
                names = []
        yield from ((name, node.lineno) for name in names if _is_private(name))


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name not in OF_NAMED_TUPLES
