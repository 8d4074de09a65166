"""Rules and settings, as moderators make them, and the decisions that follow."""

from typing import Any

from sqlalchemy import text

from api.kit.db.ids import make_id
from api.kit.services import Services

_ADD = text("""
INSERT INTO screening_rules (id, kind, value, action, created_at, updated_at)
VALUES (:id, :kind, :value, :action, now(), now())
""")
_CHANGED = "UPDATE screening_settings SET rules_version = rules_version + 1"


async def add_rules(services: Services, *rules: tuple[str, str, str]) -> None:
    """Add rules: kind, value and action."""
    async with services.database.write_session() as session:
        for kind, value, action in rules:
            values = {"id": make_id(), "kind": kind, "value": value, "action": action}
            await session.execute(_ADD, values)
        await session.execute(text(_CHANGED))


async def change_settings(services: Services, **settings: Any) -> None:
    async with services.database.write_session() as session:
        changes = ", ".join(f"{name} = :{name}" for name in settings)
        await session.execute(text(f"{_CHANGED}, {changes}"), settings)


async def list_decisions(services: Services) -> list[dict[str, Any]]:
    async with services.database.read_session() as session:
        rows = await session.execute(text("SELECT * FROM screening_decisions ORDER BY id"))
    return [dict(row) for row in rows.mappings()]
