"""Comments in every state, as screening and moderators will make them."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from api.auth.actor import Actor, Restriction
from api.auth.scopes import Scope
from api.comments import lifecycle
from api.comments.schemas import CommentCreate
from api.comments.service import create_comment
from api.kit.db.events import ThreadEvent
from api.kit.services import Services
from models import CommentState, CredentialKind, ModerationReason, Role, SanctionKind
from tests.client import Person

REASON = Restriction(reason=ModerationReason.OTHER, message="", ends_at=None)


def to_actor(person: Person) -> Actor:
    return Actor(
        id=UUID(person.id),
        role=Role.MEMBER,
        handle=person.handle,
        display_name=person.handle,
        avatar_url=None,
        session_id=None,
        credential=CredentialKind.SESSION,
        scopes=frozenset(Scope),
        restrictions={},
        created_at=datetime.now(UTC),
    )


async def add_comment(
    services: Services,
    person: Person,
    article: str,
    parent: str | None,
    state: CommentState = CommentState.VISIBLE,
    text: str = "",
) -> str:
    written = text or f"secret of {state}"
    body = CommentCreate(body=written, parent_id=UUID(parent) if parent else None)
    actor = to_actor(person)
    if state is CommentState.PENDING:
        # Screening holds whatever they write.
        actor = replace(actor, restrictions={SanctionKind.PRE_MODERATION: REASON})
    async with services.unit_of_work() as uow:
        created = await create_comment(uow, services, actor, article, body)
    return str(created.comment.id)


async def change_states(
    services: Services, article: str, comments: list[str], after: CommentState
) -> dict[str, Any]:
    """Change states; return the payload of the thread's one event."""
    async with services.unit_of_work() as uow:
        thread = await lifecycle.lock_comments(uow, UUID(article), [UUID(one) for one in comments])
        await lifecycle.change_states(uow, thread, after)
    [event] = [one for one in uow.events if isinstance(one, ThreadEvent)]
    return event.to_payload()
