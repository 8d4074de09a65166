"""Problems and events: what is declared happens, and what happens is declared."""

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any, TypeVar

from api.articles.changes import PublicEvent
from api.effects import EFFECTS
from api.kit.db.events import Event, ThreadEvent
from api.kit.http.connections import HeadersTooLarge, RequestTimeout, TooManyConnections
from api.kit.http.cors import CorsRefused
from api.kit.problems import MethodNotAllowed, Problem
from api.moderation.errors import ActionNotPossible, NothingToUndo
from tests.architecture.source import read_modules

Kind = TypeVar("Kind")

# Sent where there is no operation, so no operation declares it.
WITHOUT_OPERATION = {
    CorsRefused.code,
    HeadersTooLarge.code,
    MethodNotAllowed.code,
    RequestTimeout.code,
    TooManyConnections.code,
}
# Problems of one target among many, which the response names: they are no response of their own.
IN_RESULTS = {ActionNotPossible.code, NothingToUndo.code}
DECLARATIONS = {"problems", "declares"}


def test_every_problem_is_raised_somewhere() -> None:
    raised = {name for module in read_modules("api").values() for name in _find_uses(module)}
    assert {problem.__name__ for problem in _find_all(Problem)} - raised == set()


def test_every_problem_is_declared_by_some_operation(document: dict[str, Any]) -> None:
    declared = set(document["components"]["examples"])
    codes = {problem.code for problem in _find_all(Problem)}
    assert codes - declared == WITHOUT_OPERATION | IN_RESULTS
    assert declared - codes == set()


def test_a_code_is_the_name_of_one_problem() -> None:
    for problem in _find_all(Problem):
        assert re.sub(r"(?<!^)(?=[A-Z])", "_", problem.__name__).lower() == problem.code
    codes = Counter(problem.code for problem in _find_all(Problem))
    assert [code for code, count in codes.items() if count > 1] == []


def test_a_problem_says_what_to_do() -> None:
    for problem in _find_all(Problem):
        assert problem.title
        assert not problem.title.endswith("."), problem
        assert problem.detail.endswith("."), problem
        assert 400 <= problem.status < 600, problem


def test_every_event_has_its_effects() -> None:
    assert {effect.event_type for effect in EFFECTS} == _find_all(Event) - {
        ThreadEvent,
        PublicEvent,
    }


def test_every_event_has_a_type_of_its_own() -> None:
    assert len(EFFECTS.event_types) == len(list(EFFECTS))
    for name, event in EFFECTS.event_types.items():
        assert re.sub(r"(?<!^)(?=[A-Z])", "_", event.__name__).lower() == name


def test_a_use_is_more_than_a_declaration() -> None:
    source = "from x import NotFound\n@get(responses=problems(NotFound))\ndef f(): "
    assert "NotFound" not in set(_find_uses(ast.parse(source + "pass")))
    for use in ("raise NotFound", "raise NotFound('here')", "g(too_new=NotFound)", "{1: NotFound}"):
        assert "NotFound" in set(_find_uses(ast.parse(source + use))), use


def _find_all(kind: type[Kind]) -> set[type[Kind]]:
    """Return every class below one that a module of the service has.

    A dataclass with slots is made twice; the module has the second one.
    """
    found: set[type[Kind]] = set()
    for child in kind.__subclasses__():
        if getattr(sys.modules.get(child.__module__), child.__name__, None) is child:
            found |= {child} | _find_all(child)
    return {child for child in found if child.__module__.startswith("api.")}


def _find_uses(node: ast.AST) -> Iterator[str]:
    """Yield every name that is read, but for those that `problems` and `declares` are given."""
    match node:
        case ast.Call(func=ast.Name(id=function)) if function in DECLARATIONS:
            return
        case ast.Name(id=name, ctx=ast.Load()):
            yield name
        case _:
            for child in ast.iter_child_nodes(node):
                yield from _find_uses(child)
