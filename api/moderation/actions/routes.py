"""HTTP for decisions about comments."""

from typing import Annotated

from fastapi import Request

from api.auth.actor import Actor
from api.auth.dependencies import IdempotentUow, requires
from api.auth.quotas import Action, limit
from api.auth.scopes import Scope
from api.kit.db.database import DatabaseUnavailable
from api.kit.dependencies import ServicesDep
from api.kit.http.conditional import get_epoch
from api.kit.http.problem_responses import problems
from api.kit.http.routing import make_router
from api.moderation.actions import service
from api.moderation.actions.presenters import to_results
from api.moderation.actions.schemas import ActionCreate, ActionResults
from api.moderation.errors import NotAModerator
from api.moderation.policy import require_moderator, to_moderator

router = make_router("moderation")

ActingModerator = Annotated[Actor, requires(Scope.MODERATION_MODERATE)]


@router.post(
    "/moderation/actions",
    responses=problems(NotAModerator, DatabaseUnavailable),
    dependencies=[limit(Action.MODERATE)],
)
async def create_action(
    request: Request,
    body: ActionCreate,
    actor: ActingModerator,
    services: ServicesDep,
    _key: IdempotentUow,
) -> ActionResults:
    """Decide about comments.

    One action for up to 100 comments. All comments of one article change together; each result says
    whether its comment took the action. `undo` reverses the latest decision about a comment, while
    nothing newer happened to it. Sent again without a key, a request changes nothing: its tags are
    of before.
    """
    # Each thread is a transaction of its own; that of the key has its response.
    moderator = to_moderator(actor)
    require_moderator(moderator.scope)
    outcomes = await service.decide(services, moderator, body)
    return to_results(await get_epoch(request), outcomes)
