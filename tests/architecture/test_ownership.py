"""Who writes: only the kit commits, and only a table's owner changes its rows."""

import ast
import re
from collections.abc import Iterator

import pytest

import models
from tests.architecture.source import read_modules

# Table -> the domain that owns it: whatever else changes its rows does so through that domain.
OWNERS = {
    "appeals": "moderation",
    "article_tags": "articles",
    "article_votes": "votes",
    "articles": "articles",
    "comment_mentions": "comments",
    "comment_revisions": "comments",
    "comment_votes": "votes",
    "comments": "comments",
    "credentials": "accounts",
    "database_epoch": "kit",
    "deliveries": "kit",
    "events": "kit",
    "handles": "users",
    "idempotency_keys": "kit",
    "moderation_log": "moderation",
    "moderator_assignments": "moderation",
    "reports": "moderation",
    "review_items": "moderation",
    "sanctions": "moderation",
    "score_changes": "votes",
    "screening_decisions": "screening",
    "screening_rules": "screening",
    "screening_settings": "screening",
    "sessions": "accounts",
    "slow_mode_turns": "comments",
    "tag_settings": "articles",
    "users": "users",
}
TABLES = {
    mapper.class_.__name__: mapper.local_table.name
    for mapper in models.Article._sa_registry.mappers  # type: ignore[attr-defined]  # SQLModel's
}
# What the house calls a row of a table.
ROW_NAMES = {
    "appeal": "appeals",
    "article": "articles",
    "ancestor": "comments",
    "comment": "comments",
    "event": "events",
    "handle": "handles",
    "log_entry": "moderation_log",
    "review_item": "review_items",
    "login_session": "sessions",
    "report": "reports",
    "sanction": "sanctions",
    "user": "users",
}
# `begin` commits when its block ends.
COMMITS = re.compile(r"\.commit$|(session|connection|engine|reader|writer)\.begin$")
WRITES = {"insert", "update", "delete"}
WRITTEN_IN_SQL = re.compile(r"\b(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM)\s+([a-z_]+)\b")


def test_every_table_has_an_owner() -> None:
    assert set(OWNERS) == set(models.metadata.tables)


def test_only_the_kit_commits() -> None:
    elsewhere = [
        f"{path}:{node.lineno}"
        for path, module in read_modules("api", "models").items()
        for node in ast.walk(module)
        if isinstance(node, ast.Attribute)
        and COMMITS.search(ast.unparse(node))
        and not path.startswith("api/kit/")
    ]
    assert elsewhere == []


def test_only_its_owner_writes_a_table() -> None:
    trespasses = [
        f"{path}:{line} writes {table}, which {OWNERS[table]} owns"
        for path, module in read_modules("api").items()
        for table, line in _find_writes(module)
        if OWNERS[table] != path.split("/")[1]
    ]
    assert trespasses == []


@pytest.mark.parametrize(
    "source",
    [
        "async def f(session): await session.execute(update(User).values(role='admin'))",
        "async def f(session): session.add(User(id=1))",
        "async def f(user): user.role = 'admin'",
        "async def f(person: User): person.revision += 1",
        'S = text("UPDATE users SET role = 1")',
        'S = text(f"WITH a AS (INSERT INTO users (id) VALUES ({x})) SELECT 1")',
        "from models import User\ndef f(kind): return delete(kind)",
    ],
)
def test_each_way_of_writing_is_seen(source: str) -> None:
    assert [table for table, _ in _find_writes(ast.parse(source))] == ["users"]


def _find_writes(module: ast.Module) -> Iterator[tuple[str, int]]:
    """Yield the table and the line of everything that looks like a write."""
    imported = {
        TABLES[alias.name]
        for node in ast.walk(module)
        if isinstance(node, ast.ImportFrom) and node.module == "models"
        for alias in node.names
        if alias.name in TABLES
    }
    for node in ast.walk(module):
        match node:
            case ast.Call(func=ast.Name(id=name), args=[ast.Name(id=target), *_]) if name in WRITES:
                # What is written is a variable: it can be any table that the module knows.
                tables = {TABLES[target]} if target in TABLES else imported
                yield from ((table, node.lineno) for table in tables)
            case ast.Call(func=ast.Name(id=name)) if name in TABLES:
                yield TABLES[name], node.lineno
            case ast.Constant(value=str(sql)):
                yield from ((table, node.lineno) for table in WRITTEN_IN_SQL.findall(sql))
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield from _find_changed_rows(node)
            case _:
                pass


def _find_changed_rows(
    function: ast.FunctionDef | ast.AsyncFunctionDef,
) -> Iterator[tuple[str, int]]:
    """Yield the writes to attributes of what is a row by its annotation or by its name."""
    tables = ROW_NAMES | {
        argument.arg: TABLES[annotation.id]
        for argument in (*function.args.args, *function.args.kwonlyargs)
        if isinstance(annotation := argument.annotation, ast.Name) and annotation.id in TABLES
    }
    for node in ast.walk(function):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        for target in targets if isinstance(node, ast.Assign | ast.AugAssign) else []:
            for part in target.elts if isinstance(target, ast.Tuple) else [target]:
                match part:
                    case ast.Attribute(value=ast.Name(id=name)) if name in tables:
                        yield tables[name], node.lineno
                    case _:
                        pass
