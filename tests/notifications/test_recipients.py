"""Who is notified of what: everybody who should know, once, and nobody else."""

from sqlalchemy import text

from api.kit.services import Services
from api.notifications.inbox.queries import find_deliverable
from tests.client import Client

ROWS = text("""
SELECT u.handle, n.kind, n.number, n.object_id, n.id
FROM notifications n JOIN users u ON u.id = n.user_id ORDER BY u.handle, n.number
""")


async def list_rows(services: Services) -> list[tuple[str, str, int]]:
    async with services.database.read_session() as session:
        rows = (await session.execute(ROWS)).all()
        shown = await find_deliverable(session, [row.id for row in rows])
        assert len(shown) == len(rows)
    return [(row.handle, row.kind, row.number) for row in rows]


async def test_the_strongest_reason(client: Client, services: Services) -> None:
    ann, ben, cem, dee = [await client.join(name) for name in ("ann", "ben", "cem", "dee")]
    article = (await ann.post_article())["id"]
    first = await ben.reply(article, "First, @cem and @ben.")
    await dee.reply(article, "I agree, @ann.", first["id"])
    assert await list_rows(services) == [
        ("ann", "article_reply", 1),
        ("ann", "mention", 2),
        ("ben", "comment_reply", 1),
        ("cem", "mention", 1),
    ]
    await cem.reply(article, "Me too.", first["id"])
    assert (await list_rows(services))[-2:] == [("cem", "mention", 1), ("dee", "followed", 1)]
