"""Every counter of comments and articles, counted again from the rows."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_COMMENTS = text("""
WITH below AS (
  SELECT ancestor.id, count(*) AS n
  FROM comments c CROSS JOIN LATERAL unnest(c.ancestor_ids) AS ancestor(id)
  WHERE c.listed GROUP BY ancestor.id
), replies AS (
  SELECT parent_id AS id, count(*) AS n FROM comments WHERE listed GROUP BY parent_id
)
SELECT c.id, c.state, c.listed, c.reply_count, coalesce(r.n, 0) AS replies,
       c.descendant_count, coalesce(b.n, 0) AS descendants
FROM comments c LEFT JOIN below b USING (id) LEFT JOIN replies r USING (id)
WHERE c.reply_count <> coalesce(r.n, 0) OR c.descendant_count <> coalesce(b.n, 0)
   OR c.listed <> (c.state = 'visible' OR coalesce(r.n, 0) > 0)
""")
_ARTICLES = text("""
WITH counted AS (
  SELECT article_id AS id, count(*) FILTER (WHERE state = 'visible') AS comments,
         count(*) FILTER (WHERE listed AND parent_id IS NULL) AS replies
  FROM comments GROUP BY article_id
)
SELECT a.id, a.comment_count, coalesce(n.comments, 0) AS comments,
       a.reply_count, coalesce(n.replies, 0) AS replies
FROM articles a LEFT JOIN counted n USING (id)
WHERE a.comment_count <> coalesce(n.comments, 0) OR a.reply_count <> coalesce(n.replies, 0)
""")


async def find_wrong_counters(session: AsyncSession) -> list[dict[str, object]]:
    """Return the comments and articles with a wrong counter, and what each should be."""
    return [
        dict(row)
        for statement in (_COMMENTS, _ARTICLES)
        for row in (await session.execute(statement)).mappings()
    ]
