"""Inboxes as their owners see them."""

from typing import Any

from sqlalchemy import text

from api.kit.services import Services
from tests.client import Person, expect

_VISIBLE_UNREAD = text("""
SELECT n.user_id, count(*)
FROM notifications n
LEFT JOIN comments c ON c.id = n.comment_id
LEFT JOIN articles a ON a.id = n.article_id
WHERE n.read_at IS NULL AND (
  n.kind IN ('decision', 'appeal', 'webhook_disabled')
  OR (a.state = 'visible' AND (c.id IS NULL OR c.state = 'visible'))
)
GROUP BY n.user_id
""")
_GAPS = text("""
SELECT i.user_id, i.last_number, array_agg(n.number ORDER BY n.number) AS numbers
FROM inboxes i LEFT JOIN notifications n USING (user_id)
GROUP BY i.user_id, i.last_number
HAVING array_agg(n.number ORDER BY n.number) <> array(SELECT generate_series(1, i.last_number))
""")


async def list_inbox(person: Person, **params: Any) -> list[dict[str, Any]]:
    """Return everything in a person's inbox, over as many pages as it takes."""
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        asked = {**params, **({"cursor": cursor} if cursor else {})}
        page = expect(await person.client.get("/v1/me/notifications", params=asked), 200)
        found += page["data"]
        cursor = page["page"]["next_cursor"]
        if cursor is None:
            return found


async def list_kinds(person: Person, **params: Any) -> list[str]:
    return [one["kind"] for one in await list_inbox(person, **params)]


async def count_unread(person: Person) -> int:
    return int(expect(await person.client.get("/v1/me/notifications/count"), 200)["unread"])


async def mark_read(person: Person, **body: Any) -> dict[str, Any]:
    response = await person.client.post("/v1/me/notifications/read", body)
    return dict(expect(response, 200))


async def follow(person: Person, what: str, level: str) -> None:
    """Choose a level: of "articles/..." "users/..." or "tags/..."."""
    expect(await person.client.put(f"/v1/{what}/subscription", {"level": level}), 200)


async def check_inboxes(services: Services, *people: Person) -> None:
    """Compare the numbers and the counts of inboxes with a recount."""
    async with services.database.read_session() as session:
        assert (await session.execute(_GAPS)).all() == []
        counted = {str(row[0]): row[1] for row in await session.execute(_VISIBLE_UNREAD)}
    for person in people:
        me = person.id or expect(await person.client.get("/v1/me"), 200)["id"]
        assert await count_unread(person) == counted.get(me, 0)
