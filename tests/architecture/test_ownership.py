"""Who writes: only the kit commits, and only a table's owner changes its rows."""

import ast
import re

import pytest

import models
from tests.architecture.source import read_modules
from tests.architecture.written_tables import find_writes, read_types

# Table -> the domain that owns it: whatever else changes its rows does so through that domain.
OWNERS = {
    "appeals": "moderation",
    "article_subscriptions": "notifications",
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
    "dry_runs": "moderation",
    "events": "kit",
    "handles": "users",
    "idempotency_keys": "kit",
    "inboxes": "notifications",
    "mail_digests": "mail",
    "moderation_log": "moderation",
    "moderator_assignments": "moderation",
    "notification_channels": "notifications",
    "notification_settings": "notifications",
    "notifications": "notifications",
    "push_subscriptions": "push",
    "read_states": "notifications",
    "reports": "moderation",
    "review_items": "moderation",
    "sanctions": "moderation",
    "rule_figures": "moderation",
    "score_changes": "votes",
    "screening_decisions": "screening",
    "screening_rules": "screening",
    "screening_settings": "screening",
    "sessions": "accounts",
    "slow_mode_turns": "comments",
    "stream_tickets": "realtime",
    "tag_settings": "articles",
    "tag_subscriptions": "notifications",
    "user_subscriptions": "notifications",
    "users": "users",
    "webhook_attempts": "webhooks",
    "webhooks": "webhooks",
}
# `begin` commits when its block ends.
COMMITS = re.compile(r"\.commit$|(session|connection|engine|reader|writer)\.begin$")


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
    modules = read_modules("api")
    types = read_types(modules.values())
    trespasses = [
        f"{path}:{line} writes {table}, which {OWNERS[table]} owns"
        for path, module in modules.items()
        for table, line in find_writes(module, types)
        if OWNERS[table] != path.split("/")[1]
    ]
    assert trespasses == []


@pytest.mark.parametrize(
    "source",
    [
        "async def f(session): await session.execute(update(User).values(role='admin'))",
        "from sqlalchemy import insert as add\nasync def f(s): await s.execute(add(User))",
        "async def f(session): await session.execute(User.__table__.delete())",
        "from models import User\ndef f(kind): return delete(kind)",
        'S = text("UPDATE users SET role = 1")',
        'S = text(f"WITH a AS (INSERT INTO users (id) VALUES ({x})) SELECT 1")',
        "from models import User\nS = text(f'UPDATE {table} SET id = 1')",
        "async def f(session): session.add(User(id=1))",
        "async def f(session, one: User): await session.delete(one)",
        "def f(one: User | None): one.role = 'admin'",
        "def f(*, one: 'User'): one.revision += 1",
        "def f(one: User): setattr(one, name, value)",
        "def f(one: User): x, one.role = 1, 2",
        "def f():\n  one: User = make()\n  one.role = 'admin'",
        "async def f():\n  one = await queries.get_person(1)\n  one.role = 'admin'",
        "async def f():\n  if one := await find_person(1):\n    one.role = 'admin'",
        "async def f():\n  for one in await list_people():\n    one.role = 'admin'",
        "async def f():\n  other = await get_person(1)\n  one = other\n  one.role = 'admin'",
        "async def f(session):\n  one = await session.get(User, 1)\n  one.role = 'admin'",
        "def f(shown): shown.person.role = 'admin'",
    ],
)
def test_each_way_of_writing_is_seen(source: str) -> None:
    assert [table for table, _ in find_writes(ast.parse(source), TYPES)] == ["users"]


@pytest.mark.parametrize(
    "source",
    [
        "def f(user): user.role = 'admin'",  # a name says nothing
        "def f(kind: type[User]): kind.role = 'admin'",
        "async def f(session):\n  user = await get_other(1)\n  user.role = 'admin'",
        "def f(headers: dict[str, str], user: User): headers.update({'x': user.handle})",
    ],
)
def test_nothing_else_is_a_write(source: str) -> None:
    assert list(find_writes(ast.parse(source), TYPES)) == []


TYPES = read_types(
    [
        ast.parse(
            """
class Shown:
    person: User
async def get_person(key: int) -> User: ...
async def find_person(key: int) -> User | None: ...
async def list_people() -> list[User]: ...
async def get_other(key: int) -> Other: ...
"""
        )
    ]
)
