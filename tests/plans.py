"""What a read costs in PostgreSQL, as its plan says."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession

from api.kit.services import Services


class Explained:
    """What EXPLAIN ANALYZE says of a statement: rows that its scans returned, pages they read."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self.pages = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
        self.milliseconds = plan["Actual Total Time"]
        self.rows = 0
        self.scans: list[str] = []
        waiting = [plan]
        while waiting:
            node = waiting.pop()
            if "Scan" in node["Node Type"] and "Relation Name" in node:
                index = node.get("Index Name", "")
                self.scans.append(f"{node['Node Type']} {node['Relation Name']} {index}".strip())
                removed = node.get("Rows Removed by Filter", 0)
                self.rows += (node["Actual Rows"] + removed) * node["Actual Loops"]
            waiting += node.get("Plans", [])


async def explain(
    services: Services, read: Callable[[AsyncSession], Awaitable[object]]
) -> Explained:
    """Explain the one statement that `read` runs, with the plan that the app's readers get.

    EXPLAIN with parameters would plan for their values: so it is prepared and executed.
    """
    seen: list[tuple[str, tuple[Any, ...]]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        seen.append((statement, tuple(parameters)))

    engine = services.database.reader.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        async with services.database.read_session() as session:
            await read(session)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    [(statement, parameters)] = seen
    values = ", ".join(map(_to_literal, parameters))
    async with services.database.read_connection() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        await driver.execute(f"PREPARE explained AS {statement}")
        try:
            found = await driver.fetchval(
                f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE explained ({values})"
            )
        finally:
            await driver.execute("DEALLOCATE explained")
    return Explained(found[0]["Plan"])


def _to_literal(value: object) -> str:
    match value:
        case None:
            return "NULL"
        case str() | UUID() | datetime():
            return f"'{value}'"
        case bytes():
            return f"'\\x{value.hex()}'"
        case [UUID(), *_]:
            return f"'{{{', '.join(map(str, value))}}}'"
        case list():
            return f"ARRAY[{', '.join(map(_to_literal, value))}]"
        case _:
            return repr(value)
