"""Sanction people, and lift sanctions; each is a row in the moderation log."""

from uuid import UUID

from api.accounts.service import log_out_everywhere
from api.auth.actor import Actor
from api.kit.db.ids import make_id
from api.kit.db.unit_of_work import UnitOfWork
from api.moderation.sanctions import policy, queries
from api.moderation.sanctions.errors import AlreadyRestricted, SanctionEnded, SanctionNotFound
from api.moderation.sanctions.events import SanctionChanged
from api.moderation.sanctions.queries import SanctionRow
from api.moderation.sanctions.schemas import SanctionCreate
from api.users import queries as users
from api.users.errors import UserNotFound
from models import RESTRICTING, LogAction, ModerationLogEntry, Sanction, SanctionKind, User


async def create_sanction(
    uow: UnitOfWork, actor: Actor | None, handle: str, body: SanctionCreate
) -> SanctionRow:
    """Sanction a person; without an actor it is the operator who does.

    Raises UserNotFound, NotAModerator, MayNotSanction, InvalidSanctionEnd or AlreadyRestricted.
    """
    user = await get_person(uow, handle)
    # Those who sanction the person at the same time do so one after the other.
    user = await users.lock_user(uow.session, user.id)
    policy.require_may_sanction(actor, user)
    policy.require_valid_end(body.ends_at, uow.now)
    is_restricting = body.kind in RESTRICTING
    if is_restricting and await queries.is_restricted(uow.session, user.id, body.kind, uow.now):
        raise AlreadyRestricted
    actor_id = actor.id if actor else None
    log_entry = ModerationLogEntry(
        id=make_id(),
        actor_id=actor_id,
        action=LogAction.SANCTION,
        user_id=user.id,
        reason=body.reason,
        note=body.note,
        before={},
        after={
            "kind": body.kind.value,
            "ends_at": body.ends_at and body.ends_at.isoformat(),
        },
        created_at=uow.now,
    )
    uow.session.add(log_entry)
    await uow.session.flush()
    sanction = Sanction(
        id=make_id(),
        user_id=user.id,
        kind=body.kind,
        reason=body.reason,
        message=body.message,
        note=body.note,
        starts_at=uow.now,
        ends_at=body.ends_at,
        created_by=actor_id,
        log_id=log_entry.id,
    )
    await queries.add_sanction(uow.session, sanction)
    if policy.ends_sessions(body.kind):
        await log_out_everywhere(uow, user.id)
    uow.emit(SanctionChanged(sanction_id=sanction.id, user_id=user.id))
    creator = await users.get_user(uow.session, actor.id) if actor else None
    return SanctionRow(sanction, creator, None)


async def lift_sanction(
    uow: UnitOfWork, actor: Actor | None, handle: str, sanction_id: UUID
) -> None:
    """Lift a sanction before its time; a note or a warning is withdrawn.

    Raises UserNotFound, NotAModerator, MayNotSanction, SanctionNotFound or SanctionEnded.
    """
    user = await get_person(uow, handle)
    policy.require_may_sanction(actor, user)
    sanction = await queries.lock_sanction(uow.session, sanction_id)
    if sanction is None or sanction.user_id != user.id:
        raise SanctionNotFound
    await lift(uow, sanction, by=actor.id if actor else None)


async def lift_sanction_of_kind(uow: UnitOfWork, handle: str, kind: SanctionKind) -> None:
    """Lift the active sanction of a kind, as the operator.

    Raises UserNotFound, SanctionNotFound or SanctionEnded.
    """
    user = await get_person(uow, handle)
    active = await queries.find_active(uow.session, user.id, kind, uow.now)
    if active is None:
        raise SanctionNotFound
    await lift_sanction(uow, None, handle, active.id)


async def lift(uow: UnitOfWork, sanction: Sanction, *, by: UUID | None) -> None:
    """Lift a locked sanction, and log it. Raises SanctionEnded."""
    if not policy.is_active(sanction, uow.now):
        raise SanctionEnded
    sanction.lifted_at, sanction.lifted_by = uow.now, by
    uow.session.add(
        ModerationLogEntry(
            id=make_id(),
            actor_id=by,
            action=LogAction.LIFT_SANCTION,
            user_id=sanction.user_id,
            reason=sanction.reason,
            before={"kind": sanction.kind.value},
            after={},
            undoes_id=sanction.log_id,
            created_at=uow.now,
        )
    )
    uow.emit(SanctionChanged(sanction_id=sanction.id, user_id=sanction.user_id))


async def get_person(uow: UnitOfWork, handle: str) -> User:
    """Return a person by a present or former handle, or by id. Raises UserNotFound."""
    user = await users.find_user(uow.session, handle)
    if user is None:
        raise UserNotFound
    return user
