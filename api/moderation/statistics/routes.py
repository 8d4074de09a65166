"""HTTP for the figures of moderation."""

from datetime import date
from typing import Annotated

from fastapi import Query

from api.auth.actor import Actor
from api.auth.dependencies import requires
from api.auth.scopes import Scope
from api.kit.dependencies import ReadSession
from api.kit.http.problem_responses import problems
from api.kit.http.routing import make_router
from api.moderation.errors import InvalidPeriod, NotAModerator
from api.moderation.policy import require_global, to_moderator
from api.moderation.statistics import queries
from api.moderation.statistics.presenters import to_day, to_rule
from api.moderation.statistics.schemas import StatisticsRead

router = make_router("moderation")

MAX_DAYS = 92

Reader = Annotated[Actor, requires(Scope.MODERATION_READ)]
# Within what a UUIDv7 and Python can say of a time.
EARLIEST, LATEST = date(2000, 1, 1), date(9998, 12, 31)


@router.get("/moderation/statistics", responses=problems(NotAModerator, InvalidPeriod))
async def read_statistics(
    actor: Reader,
    session: ReadSession,
    first: Annotated[date, Query(alias="from", description="The first day, in UTC.")],
    last: Annotated[date, Query(alias="to", description="The last day, at most 91 days later.")],
) -> StatisticsRead:
    """Get figures of moderation.

    By day, and by rule of screening. For moderators of the whole forum.
    """
    require_global(to_moderator(actor).scope)
    if not EARLIEST <= first <= last <= LATEST or (last - first).days >= MAX_DAYS:
        raise InvalidPeriod
    return StatisticsRead(
        days=[to_day(row) for row in await queries.list_days(session, first, last)],
        rules=[to_rule(row) for row in await queries.list_rules(session, first, last)],
    )
