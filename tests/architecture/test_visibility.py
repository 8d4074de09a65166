"""Who can see a row is said once: no other module looks at the columns that decide it."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.architecture.source import read_modules

COLUMNS = {"listed", "state", "deleted_at"}
TABLES = {"Article", "Comment"}
# The modules that say who sees what, and those that change it.
ALLOWED = re.compile(r"api/(articles|comments)/(visibility|lifecycle)\.py")
# What a comparison looks like in SQL that is written as text, in pieces too.
COMPARED_IN_SQL = re.compile(
    r"""\b\w\.listed\b
    | \b(?:WHERE|AND|OR|NOT|ON|WHEN)\s+listed\b
    | \b(?:state|deleted_at|listed)\s*(?:=|<|>|!|\bIS\b|\bIN\b|\bNOT\b)
    """,
    re.VERBOSE,
)


def test_only_visibility_compares_what_decides_it() -> None:
    elsewhere = [
        f"{path}:{line}"
        for path, module in read_modules("api").items()
        if not ALLOWED.match(path)
        for line in _find_comparisons(module)
    ]
    assert elsewhere == []


@pytest.mark.parametrize(
    "source",
    [
        "select(Comment).where(col(Comment.listed))",
        "select(Article).where(col(Article.deleted_at).is_(None))",
        "is_shown = ~col(Comment.listed)",
        "select(c).where(c.state == CommentState.VISIBLE)",
        "select(c).where(c.c.state.in_(states))",
        "def f(comment):\n  return comment.state is CommentState.VISIBLE",
        "def f(comment):\n  return state in (CommentState.VISIBLE, CommentState.HIDDEN)",
        "def f(comment):\n  if comment.listed: pass",
        "def f(comment):\n  return 1 if not comment.listed else 2",
        "def f(article):\n  return article.deleted_at or article.url",
        'S = text("SELECT 1 FROM comments WHERE listed")',
        'S = text("SELECT 1 FROM comments WHERE id = 1 AND NOT listed")',
        'S = f"c.under_id = {x} AND c.listed"',
        "S = \"CASE WHEN c.state = 'visible' THEN c.body END\"",
        "S = \"state IN ('visible', 'hidden')\"",
        'S = f"{head} AND a.deleted_at IS NULL"',
    ],
)
def test_each_way_of_comparing_is_seen(source: str) -> None:
    assert len(set(_find_comparisons(ast.parse(source)))) == 1


@pytest.mark.parametrize(
    "source",
    [
        'def f():\n  """Return a listed comment, whose state is what deleted_at IS NULL says."""',
        "def f(request):\n  if request.app.state.draining: pass",
        "INSERT = 'INSERT INTO comments (id, state, listed) VALUES (:id, :state, :listed)'",
        "row = {'state': comment.state}",
    ],
)
def test_nothing_else_is_taken_for_it(source: str) -> None:
    assert list(_find_comparisons(ast.parse(source))) == []


def _find_comparisons(module: ast.Module) -> Iterator[int]:
    """Yield the line of whatever looks like a comparison of one of the columns."""
    docstrings = set(_find_docstrings(module))
    for node in ast.walk(module):
        if isinstance(node, ast.expr | ast.stmt) and node not in docstrings and _compares(node):
            yield node.lineno


def _compares(node: ast.expr | ast.stmt) -> bool:
    match node:
        case ast.Attribute(value=ast.Name(id=name), attr=attr) if name in TABLES:
            # A column of the table: whatever an expression makes of it, it is not for here.
            return attr in COLUMNS
        case ast.Call(func=ast.Attribute(value=ast.Attribute(attr=attr), attr=method)):
            return attr in COLUMNS and method in {"is_", "is_not", "in_", "not_in"}
        case ast.Constant(value=str(sql)):
            return COMPARED_IN_SQL.search(sql) is not None
        case _:
            return any(_decides(operand) for operand in _list_operands(node))


def _list_operands(node: ast.expr | ast.stmt) -> list[ast.expr]:
    """Return what a node compares or takes as a condition."""
    match node:
        case ast.Compare(left=left, comparators=others):
            return [left, *others]
        case ast.BoolOp(values=values):
            return values
        case ast.UnaryOp(op=ast.Not() | ast.Invert(), operand=operand):
            return [operand]
        case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test):
            return [test]
        case _:
            return []


def _decides(node: ast.expr) -> bool:
    """Return whether an operand is one of the columns, or a state to compare one with."""
    match node:
        case ast.Attribute(value=ast.Name(id="CommentState" | "ArticleState")):
            return True
        case ast.Attribute(attr=attr):
            return attr in COLUMNS
        case ast.Tuple(elts=members) | ast.List(elts=members) | ast.Set(elts=members):
            return any(_decides(member) for member in members)
        case _:
            return False


def _find_docstrings(module: ast.Module) -> Iterator[ast.AST]:
    for node in ast.walk(module):
        match node:
            case (
                ast.Module(body=[ast.Expr(value=docstring), *_])
                | ast.ClassDef(body=[ast.Expr(value=docstring), *_])
                | ast.FunctionDef(body=[ast.Expr(value=docstring), *_])
                | ast.AsyncFunctionDef(body=[ast.Expr(value=docstring), *_])
            ):
                yield docstring
            case _:
                pass


OWNED = COLUMNS | {"is_announced", "reply_count", "descendant_count", "comment_count"}
LIFECYCLE = re.compile(r"api/(articles|comments)/lifecycle\.py")


def test_only_the_lifecycle_writes_what_follows_from_states() -> None:
    """Statements in text that count are `insert_comment` and `bump_version`, which it calls."""
    elsewhere = [
        f"{path}:{line}"
        for path, module in read_modules("api").items()
        if not LIFECYCLE.match(path)
        for line in _find_writes(module)
    ]
    assert elsewhere == []


@pytest.mark.parametrize(
    "source",
    [
        "article.deleted_at = now",
        "comment.reply_count += 1",
        "a.b, comment.listed = 1, True",
        "update(Comment).values(state='removed')",
    ],
)
def test_each_way_of_writing_is_seen(source: str) -> None:
    assert len(list(_find_writes(ast.parse(source)))) == 1


def _find_writes(module: ast.Module) -> Iterator[int]:
    for node in ast.walk(module):
        match node:
            case ast.Attribute(value=value, attr=attr, ctx=ast.Store()) if attr in OWNED:
                # What an application keeps in its own `state` is another matter.
                if not (isinstance(value, ast.Name) and value.id in {"self", "app"}):
                    yield node.lineno
            case ast.Call(func=ast.Attribute(attr="values"), keywords=keywords):
                yield from (node.lineno for keyword in keywords if keyword.arg in OWNED)
            case _:
                pass
