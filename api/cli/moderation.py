"""`palaver moderation ...`: moderate without a user interface, as the operator."""

from typing import Annotated
from uuid import UUID

import typer

from api.cli.environment import load_settings, run_with_services
from api.kit.services import Services
from api.moderation.actions.schemas import ActionCreate, ActionTarget, ModerationAction
from api.moderation.actions.service import decide
from api.moderation.policy import EVERYTHING, Moderator
from api.moderation.queue.queries import QueueFilter, QueueOrder, list_items
from models import ModerationReason

app = typer.Typer(help="Moderate comments and people.", no_args_is_help=True)

Comments = Annotated[list[UUID], typer.Argument(help="The ids of the comments, at most 100.")]
Reason = Annotated[ModerationReason, typer.Option(help="What is wrong.")]
Note = Annotated[str, typer.Option(help="For moderators only.")]

# Of a text, what one line of a terminal shows.
_SHOWN = 60


@app.command("queue")
def show_queue(
    order: Annotated[QueueOrder, typer.Option(help="Which come first.")] = QueueOrder.OLDEST,
    limit: Annotated[int, typer.Option(min=1, max=100, help="The number of items.")] = 20,
) -> None:
    """List comments that wait for a moderator."""

    async def show(services: Services) -> None:
        async with services.database.read_session() as session:
            rows = await list_items(
                session,
                EVERYTHING,
                QueueFilter(order=order),
                moderator_id=None,
                now=services.clock.now(),
                after=None,
                limit=limit,
            )
        for row in rows.data:
            text = " ".join(row["body"].split())[:_SHOWN]
            author = row["author_handle"] or "-"
            typer.echo(
                f"{row['id']}  {row['item_source']}  {row['item_report_count']} reports  "
                f"{row['state']}  {author}: {text}"
            )
        if not rows.data:
            typer.echo("Nothing waits.")

    run_with_services(load_settings(), show)


@app.command()
def approve(comments: Comments, note: Note = "") -> None:
    """Publish comments that wait, and dismiss their reports."""
    _decide(ModerationAction.APPROVE, comments, note=note)


@app.command()
def remove(comments: Comments, reason: Reason, note: Note = "") -> None:
    """Remove comments."""
    _decide(ModerationAction.REMOVE, comments, reason=reason, note=note)


@app.command()
def restore(comments: Comments, note: Note = "") -> None:
    """Show hidden or removed comments again."""
    _decide(ModerationAction.RESTORE, comments, note=note)


def _decide(
    action: ModerationAction,
    comments: list[UUID],
    *,
    note: str,
    reason: ModerationReason | None = None,
) -> None:
    """Carry out an action, whatever the comments are now; exit with 1 if one does not take it."""
    body = ActionCreate(
        action=action,
        reason=reason,
        note=note,
        targets=[ActionTarget(comment_id=one, etag="*") for one in dict.fromkeys(comments)],
    )

    async def carry_out(services: Services) -> None:
        outcomes = await decide(services, Moderator(None, EVERYTHING), body)
        for outcome in outcomes:
            if outcome.problem is not None:
                typer.secho(
                    f"{outcome.comment_id}: {outcome.problem.title}. {outcome.problem.detail}",
                    fg="red",
                    err=True,
                )
            elif outcome.decision is not None:
                typer.echo(f"{outcome.comment_id}: {outcome.decision.after.value}")
        if any(outcome.problem is not None for outcome in outcomes):
            raise typer.Exit(1)

    run_with_services(load_settings(), carry_out)
