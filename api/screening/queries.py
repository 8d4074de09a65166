"""Every statement of screening."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from api.kit.db.ids import make_id
from api.kit.http.pagination import Slice, slice_rows
from api.screening.candidate import Limits
from api.screening.rules import Rule
from api.screening.verdict import Finding, Verdict
from models import (
    Article,
    ArticleTag,
    Comment,
    Outcome,
    RuleKind,
    ScreeningDecision,
    ScreeningRule,
    ScreeningSettings,
)

# The columns of `screening_settings` that screening applies.
LIMITS = tuple(Limits.__dataclass_fields__)


async def get_limits(session: AsyncSession) -> Limits:
    """Return the settings that screening applies."""
    columns = [col(getattr(ScreeningSettings, name)) for name in LIMITS]
    row = (await session.execute(select(*columns))).one()
    return Limits(**row._asdict())


async def list_enabled_rules(session: AsyncSession) -> tuple[int, Sequence[Rule]]:
    """Return the version of the rules, and all that are switched on: of one moment."""
    statement = (
        select(
            col(ScreeningSettings.rules_version),
            col(ScreeningRule.id),
            col(ScreeningRule.kind),
            col(ScreeningRule.value),
            col(ScreeningRule.action),
        )
        .select_from(ScreeningSettings)
        .outerjoin(ScreeningRule, col(ScreeningRule.is_enabled).is_(True))
    )
    rows = (await session.execute(statement)).all()
    rules = [
        Rule(id=row.id, kind=row.kind, value=row.value, action=row.action)
        for row in rows
        if row.id is not None
    ]
    return rows[0].rules_version, rules


async def insert_decisions(
    session: AsyncSession,
    verdict: Verdict,
    *,
    comment_id: UUID | None,
    article_id: UUID | None,
    author_id: UUID | None,
    revision: int,
    now: datetime,
) -> None:
    """Store every finding of a verdict; the text is not stored."""
    rows: list[dict[str, Any]] = [
        _to_row(verdict, finding)
        | {
            "id": make_id(),
            "comment_id": comment_id,
            "article_id": article_id,
            "author_id": author_id,
            "revision": revision,
            "created_at": now,
        }
        for finding in verdict.findings
    ]
    if rows:
        await session.execute(insert(ScreeningDecision), rows)


def _to_row(verdict: Verdict, finding: Finding) -> dict[str, Any]:
    is_decisive = finding is verdict.decided_by
    return {
        "outcome": verdict.outcome if is_decisive else Outcome.FLAG,
        "is_decisive": is_decisive,
        "phase": finding.phase,
        "rule": finding.rule,
        "rule_id": finding.rule_id,
        "span_start": finding.start,
        "span_end": finding.end,
    }


async def delete_decisions(session: AsyncSession, ids: Sequence[UUID]) -> None:
    """Delete decisions that are no longer needed."""
    await session.execute(delete(ScreeningDecision).where(col(ScreeningDecision.id).in_(ids)))


async def raise_version(session: AsyncSession) -> None:
    """Take the lock of all rules and settings; processes load them anew after the commit."""
    statement = (
        update(ScreeningSettings)
        .values(rules_version=col(ScreeningSettings.rules_version) + 1)
        .execution_options(synchronize_session=False)
    )
    await session.execute(statement)


async def get_settings(session: AsyncSession) -> ScreeningSettings:
    """Return the settings of the forum."""
    return (await session.scalars(select(ScreeningSettings))).one()


async def find_rule(session: AsyncSession, rule_id: UUID) -> ScreeningRule | None:
    """Return a rule."""
    return await session.get(ScreeningRule, rule_id)


async def find_rules(session: AsyncSession) -> dict[tuple[RuleKind, str], ScreeningRule]:
    """Return all rules by kind and value, in order of time."""
    statement = select(ScreeningRule).order_by(col(ScreeningRule.id))
    return {(rule.kind, rule.value): rule for rule in await session.scalars(statement)}


async def count_rules(session: AsyncSession) -> int:
    """Return the number of all rules."""
    return await session.scalar(select(func.count()).select_from(ScreeningRule)) or 0


async def list_rules(
    session: AsyncSession,
    *,
    kind: RuleKind | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> Slice[ScreeningRule]:
    """Return a page of rules, the newest first."""
    position = tuple_(col(ScreeningRule.created_at), col(ScreeningRule.id))
    statement = (
        select(ScreeningRule)
        .order_by(col(ScreeningRule.created_at).desc(), col(ScreeningRule.id).desc())
        .limit(limit + 1)
    )
    if kind is not None:
        statement = statement.where(col(ScreeningRule.kind) == kind)
    if after is not None:
        statement = statement.where(position < tuple_(*after))
    return slice_rows((await session.scalars(statement)).all(), limit)


async def find_place(
    session: AsyncSession,
    *,
    article: str | None = None,
    article_id: UUID | None = None,
    comment_id: UUID | None = None,
    external_id: str | None = None,
) -> tuple[UUID, list[str]] | None:
    """Return the id and the tags of the article that a path names, by one of these.

    `article` is a slug. None without such an article.
    """
    statement = select(col(Article.id), col(ArticleTag.tag)).outerjoin(
        ArticleTag, col(ArticleTag.article_id) == col(Article.id)
    )
    if comment_id is not None:
        statement = statement.join(Comment, col(Comment.article_id) == col(Article.id)).where(
            col(Comment.id) == comment_id
        )
    elif article_id is not None:
        statement = statement.where(col(Article.id) == article_id)
    elif article is not None:
        statement = statement.where(col(Article.slug) == article)
    elif external_id is not None:
        statement = statement.where(col(Article.external_id) == external_id)
    else:
        return None
    rows = (await session.execute(statement)).all()
    return (rows[0].id, [row.tag for row in rows if row.tag is not None]) if rows else None
