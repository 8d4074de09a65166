"""A verdict on a text, and what is kept of it."""

import asyncio
from typing import Any, NoReturn
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from api.kit.db.unit_of_work import UnitOfWork
from api.kit.problems import Problem
from api.kit.services import Services
from api.screening import queries
from api.screening.candidate import Candidate, Limits
from api.screening.phases import decide
from api.screening.rules import Rules
from api.screening.verdict import Verdict

# Code points. A longer text, or more rules, is worked on in a thread: it takes milliseconds.
_SHORT = 1000


async def screen(services: Services, session: AsyncSession, candidate: Candidate) -> Verdict:
    """Return what becomes of a text. Takes no statement while the rules are those known."""
    rules = await get_rules(services, session, candidate.limits.rules_version)
    return await decide_with(candidate, rules)


async def decide_with(candidate: Candidate, rules: Rules) -> Verdict:
    """Return what becomes of a text by these rules; a long one is worked on in a thread."""
    if len(candidate.body) <= _SHORT or not rules.by_id:
        return decide(candidate, rules)
    return await asyncio.to_thread(decide, candidate, rules)


async def load_rules(session: AsyncSession) -> tuple[Limits, Rules]:
    """Return the settings and the rules, for work that screens many texts by the same ones."""
    limits = await queries.get_limits(session)
    _, rules = await queries.list_enabled_rules(session)
    return limits, await asyncio.to_thread(Rules, rules)


async def get_limits(session: AsyncSession) -> Limits:
    """Return the settings that screening applies."""
    return await queries.get_limits(session)


async def get_rules(services: Services, session: AsyncSession, version: int) -> Rules:
    """Return the rules of a version, or newer ones; they are loaded once for each version."""

    async def load() -> tuple[int, Rules]:
        found, rules = await queries.list_enabled_rules(session)
        # Tens of milliseconds for ten thousand.
        return found, await asyncio.to_thread(Rules, rules)

    return await services.prepared.get("screening rules", version, load)


async def record(
    uow: UnitOfWork,
    verdict: Verdict,
    *,
    comment_id: UUID | None = None,
    article_id: UUID | None = None,
    author_id: UUID | None,
    revision: int = 0,
) -> None:
    """Store what was found in a text; 0 is the revision of one that was rejected."""
    await queries.insert_decisions(
        uow.session,
        verdict,
        comment_id=comment_id,
        article_id=article_id,
        author_id=author_id,
        revision=revision,
        now=uow.now,
    )


def refuse(uow: UnitOfWork, verdict: Verdict, problem: type[Problem]) -> NoReturn:
    """Raise the problem of a rejected text. What the unit of work did is committed all the same.

    So call it when nothing was done but to record the verdict.
    """
    uow.keep_changes()
    # With the members that the problem is declared with.
    members: dict[str, Any] = {}
    if verdict.decided_by and "phase" in problem.example:
        members["phase"] = verdict.decided_by.phase.value
    raise problem(**members)
