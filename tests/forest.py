"""Threads of any shape and size, made faster than by one request a comment."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
from sqlalchemy import text

from api.comments import imports as comments
from api.kit.db.ids import make_id
from api.kit.services import Services
from tests.connections import connect_arguments

BEGAN_AT = datetime(2026, 1, 1, tzinfo=UTC)


async def grow(
    services: Services,
    article_id: str,
    parents: Sequence[int | None],
    *,
    author_id: str = "",
    every: timedelta = timedelta(seconds=1),
) -> list[str]:
    """Store comments, one `every` so long, the i-th a reply to the `parents[i]`-th.

    Return their ids.
    """
    ids: list[UUID] = []
    async with services.unit_of_work() as uow:
        version = await comments.open_import(
            uow,
            UUID(article_id),
            comments=len(parents),
            roots=sum(p is None for p in parents),
            active_at=BEGAN_AT,
        )
        for number, parent in enumerate(parents):
            stored = await comments.import_comment(
                uow,
                article_id=UUID(article_id),
                external_id=str(make_id()),
                parent_id=None if parent is None else ids[parent],
                author_id=UUID(author_id) if author_id else None,
                body=f"Comment {number}",
                created_at=BEGAN_AT + number * every,
                version=version,
            )
            assert stored is not None
            ids.append(stored)
    await services.cache.publish_versions({UUID(article_id): version})
    return [str(one) for one in ids]


async def give_votes(services: Services, votes: dict[str, tuple[int, int]]) -> None:
    """Set how often comments were voted up and down."""
    async with services.database.write_session() as session:
        for comment_id, (up, down) in votes.items():
            await session.execute(
                text("UPDATE comments SET up = :up, down = :down WHERE id = :id"),
                {"up": up, "down": down, "id": comment_id},
            )


async def plant_bushes(url: str, article_id: str, bushes: int) -> None:
    """Store `bushes` roots with nine replies each, at three levels, by COPY.

    Any two such threads look the same through a page, whatever their size. Votes are random.
    """
    chance = random.Random(7)
    rows = []
    for bush in range(bushes):
        ids = [make_id() for _ in range(10)]
        for number, comment_id in enumerate(ids):
            # 0 is the root, 1 to 3 its replies, 4 to 9 two replies of each of these.
            parent = None if number == 0 else 0 if number < 4 else (number - 4) // 2 + 1
            line = [] if parent is None else [ids[0]] if parent == 0 else [ids[0], ids[parent]]
            replies = (3, 2, 0)[len(line)]
            below = (9, 2, 0)[len(line)]
            at = BEGAN_AT + timedelta(seconds=bush, milliseconds=number)
            rows.append(
                (
                    *(comment_id, UUID(article_id), line[-1] if line else None, line, len(line)),
                    *("Text.", "<p>Text.</p>", "visible", True),
                    *(chance.randrange(50), chance.randrange(20), replies, below, 1, at),
                )
            )
    chance.shuffle(rows)
    rows.sort(key=lambda row: row[4])
    connection = await asyncpg.connect(**connect_arguments(url))
    columns = (
        "id article_id parent_id ancestor_ids depth body html state listed up down "
        "reply_count descendant_count version created_at"
    )
    await connection.copy_records_to_table("comments", records=rows, columns=columns.split())
    await connection.execute(
        "UPDATE articles SET version = version + 1, reply_count = $2, comment_count = $3 "
        "WHERE id = $1",
        UUID(article_id),
        bushes,
        bushes * 10,
    )
    await connection.execute("VACUUM ANALYZE comments")
    await connection.close()
