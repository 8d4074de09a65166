"""What screening needs to know of a comment: its author's record and its article, in one statement.

The statement is here since it asks which comments are published; what becomes of the comment is for
`api.screening` to say.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import DateTime, Text, Uuid

from api.auth.actor import Actor, ActorKind, kind_of
from api.auth.policy import writes_as_staff
from api.comments.mentions.resolution import ResolvedText
from api.comments.policy import is_shadow_banned
from api.comments.visibility import SHOWS_TEXT_C, WITHHELD_C
from api.screening.candidate import Author, Candidate, Limits
from api.screening.queries import LIMITS
from api.screening.verdict import Finding
from models import SanctionKind
from models.screening import MAX_HELD_FIRST_COMMENTS

_SETTINGS = ", ".join(f"s.{name}" for name in LIMITS)
# Asked with every reply: as text, it costs half of what it costs composed. What a setting that is
# off would count is not counted.
_RECORD = text(f"""
SELECT {_SETTINGS},
  coalesce(a.is_pre_moderated, false) OR EXISTS (
    SELECT FROM article_tags t JOIN tag_settings g ON g.tag = t.tag AND g.is_pre_moderated
    WHERE t.article_id = a.id
  ) AS is_article_pre_moderated,
  CASE WHEN s.held_first_comments = 0 THEN 0 ELSE (
    SELECT count(*) FROM (
      SELECT FROM comments c WHERE c.author_id = :author_id AND {SHOWS_TEXT_C}
      LIMIT {MAX_HELD_FIRST_COMMENTS}
    ) published
  ) END AS published_comments,
  CASE WHEN s.max_repeats IS NULL THEN 0 ELSE (
    SELECT count(*) FROM (
      SELECT c.id, c.body, c.created_at FROM comments c
      WHERE c.author_id = :author_id AND {SHOWS_TEXT_C}
        AND c.created_at > :now - make_interval(secs => s.repeat_window_seconds)
      UNION ALL
      SELECT c.id, c.body, c.created_at FROM comments c
      WHERE c.author_id = :author_id AND {WITHHELD_C}
        AND c.created_at > :now - make_interval(secs => s.repeat_window_seconds)
    ) sent
    WHERE sent.body = :body AND sent.id IS DISTINCT FROM :comment_id
  ) END AS repeats
FROM screening_settings s LEFT JOIN articles a ON a.id = :article_id
""").bindparams(
    bindparam("author_id", type_=Uuid()),
    bindparam("article_id", type_=Uuid()),
    bindparam("comment_id", type_=Uuid()),
    bindparam("body", type_=Text()),
    bindparam("now", type_=DateTime(timezone=True)),
)


async def load_candidate(
    session: AsyncSession,
    actor: Actor,
    resolved: ResolvedText,
    *,
    article_id: UUID,
    comment_id: UUID | None = None,
    external: Sequence[Finding] = (),
    now: datetime,
) -> Candidate:
    """Return a new comment, or a new text of one, as screening looks at it: one statement.

    The actor is the one under the article (`Actor.at`).
    """
    values = {
        "author_id": actor.id,
        "article_id": article_id,
        "comment_id": comment_id,
        "body": resolved.source,
        "now": now,
    }
    row = (await session.execute(_RECORD, values)).one()
    kind = kind_of(actor, now)
    author = Author(
        id=actor.id,
        is_staff=writes_as_staff(actor),
        is_newcomer=kind is ActorKind.NEWCOMER,
        is_shadow_banned=is_shadow_banned(actor),
        is_pre_moderated=SanctionKind.PRE_MODERATION in actor.restrictions,
        published_comments=row.published_comments,
        repeats=row.repeats,
    )
    return Candidate(
        author=author,
        limits=Limits(**{name: getattr(row, name) for name in LIMITS}),
        body=resolved.source,
        links=resolved.links,
        is_article_pre_moderated=row.is_article_pre_moderated,
        external=external,
    )
