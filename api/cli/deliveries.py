"""`palaver deliveries ...`."""

from typing import Annotated

import typer

from api.cli.environment import run_in_transaction
from api.kit.db import deliveries
from api.kit.db.deliveries import DeliveryState, Selection, get_state
from api.kit.db.unit_of_work import UnitOfWork

app = typer.Typer(
    help="List, retry and drop what the worker has not delivered.", no_args_is_help=True
)

# Rows that one call changes: a single transaction that no other worker waits for long.
MAX_CHANGED = 10_000

Ids = Annotated[list[int] | None, typer.Argument(help="Numbers, as `list` shows them.", min=1)]
Consumer = Annotated[str | None, typer.Option(help="Only those of this consumer.", metavar="NAME")]


@app.command("list")
def list_deliveries(
    state: Annotated[DeliveryState | None, typer.Option(help="Only those in this state.")] = None,
    consumer: Consumer = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
) -> None:
    """List deliveries, the oldest first."""

    async def find(uow: UnitOfWork) -> list[str]:
        selection = Selection(in_state=state, consumer=consumer)
        rows = await deliveries.list_deliveries(uow.session, selection, limit=limit)
        return [
            f"{delivery.id}  {get_state(delivery)}  {delivery.consumer}  {delivery.target or '-'}  "
            f"{kind}  {delivery.attempts} attempts  {delivery.created_at:%Y-%m-%d %H:%M:%S}  "
            f"{delivery.last_error or ''}".rstrip()
            for delivery, kind in rows
        ]

    for line in run_in_transaction(find):
        typer.echo(line)


@app.command("retry")
def retry_deliveries(
    ids: Ids = None,
    all_dead: Annotated[bool, typer.Option("--all-dead", help="All that were given up.")] = False,
    consumer: Consumer = None,
) -> None:
    """Retry failed or dead deliveries now."""
    selection = _select(ids, all_dead=all_dead, consumer=consumer)

    async def retry(uow: UnitOfWork) -> int:
        return await deliveries.retry_deliveries(uow.session, selection, uow.now, limit=MAX_CHANGED)

    typer.echo(_describe("are retried", run_in_transaction(retry)))


@app.command("drop")
def drop_deliveries(
    ids: Ids = None,
    all_dead: Annotated[bool, typer.Option("--all-dead", help="All that were given up.")] = False,
    consumer: Consumer = None,
) -> None:
    """Delete deliveries, which then never take place."""
    selection = _select(ids, all_dead=all_dead, consumer=consumer)

    async def drop(uow: UnitOfWork) -> int:
        return await deliveries.drop_deliveries(uow.session, selection, limit=MAX_CHANGED)

    typer.echo(_describe("were dropped", run_in_transaction(drop)))


def _select(ids: list[int] | None, *, all_dead: bool, consumer: str | None) -> Selection:
    """Return what is meant. Raises typer.BadParameter when that could be everything."""
    if not ids and not all_dead and consumer is None:
        raise typer.BadParameter("name deliveries by number, or give --all-dead or --consumer.")
    return Selection(
        ids=ids or None, in_state=DeliveryState.DEAD if all_dead else None, consumer=consumer
    )


def _describe(verb: str, number: int) -> str:
    more = " There may be more: run it again." if number == MAX_CHANGED else ""
    return f"{number} deliveries {verb}.{more}"
