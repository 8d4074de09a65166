"""`palaver moderation ban ...` and other sanctions."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from pydantic import ValidationError

from api.cli.environment import list_faults, run_in_transaction
from api.kit.db.unit_of_work import UnitOfWork
from api.kit.settings import SettingsError
from api.moderation.sanctions import service as sanctions
from api.moderation.sanctions.schemas import SanctionCreate
from models import ModerationReason, SanctionKind

Handle = Annotated[str, typer.Argument(help="The person's handle or id.")]
Reason = Annotated[ModerationReason, typer.Option(help="Why; the person is told.")]
Message = Annotated[str, typer.Option(help="What else the person is told.")]
Days = Annotated[float, typer.Option(min=0.001, max=3650, help="How long, in days.")]


def ban(
    handle: Handle,
    reason: Reason = ModerationReason.OTHER,
    message: Message = "",
    days: Annotated[
        float | None, typer.Option(min=0.001, max=3650, help="How long; by default until lifted.")
    ] = None,
) -> None:
    """Ban a person, and end all their sessions."""
    _sanction(handle, SanctionKind.BAN, reason, message, days)


def silence(
    handle: Handle,
    days: Days,
    reason: Reason = ModerationReason.OTHER,
    message: Message = "",
) -> None:
    """Let a person only read, for a time."""
    _sanction(handle, SanctionKind.SILENCE, reason, message, days)


def warn(
    handle: Handle,
    message: Annotated[str, typer.Option(help="What the person is told.")],
    reason: Reason = ModerationReason.OTHER,
) -> None:
    """Warn a person."""
    _sanction(handle, SanctionKind.WARNING, reason, message, None)


def unban(handle: Handle) -> None:
    """Lift a person's ban."""
    _lift(handle, SanctionKind.BAN)


def unsilence(handle: Handle) -> None:
    """Lift a person's silence."""
    _lift(handle, SanctionKind.SILENCE)


def _sanction(
    handle: str, kind: SanctionKind, reason: ModerationReason, message: str, days: float | None
) -> None:
    ends_at = None
    if days is not None:
        ends_at = (datetime.now(UTC) + timedelta(days=days)).isoformat()
    try:
        body = SanctionCreate.model_validate(
            {"kind": kind, "reason": reason, "message": message, "ends_at": ends_at}
        )
    except ValidationError as error:
        raise SettingsError(list_faults(error)) from error

    async def create(uow: UnitOfWork) -> str:
        row = await sanctions.create_sanction(uow, None, handle, body)
        return str(row.sanction.id)

    typer.echo(f"Sanction {run_in_transaction(create)}: {kind.value} of {handle}.")


def _lift(handle: str, kind: SanctionKind) -> None:
    async def lift(uow: UnitOfWork) -> None:
        await sanctions.lift_sanction_of_kind(uow, handle, kind)

    run_in_transaction(lift)
    typer.echo(f"The {kind.value} of {handle} is lifted.")
