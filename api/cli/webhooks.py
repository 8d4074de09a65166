"""`palaver webhooks ...`."""

from typing import Annotated
from uuid import UUID

import typer

from api.cli.environment import run_in_transaction
from api.kit.db.unit_of_work import UnitOfWork
from api.webhooks import queries, service
from api.webhooks.queries import WebhookRow
from api.webhooks.service import MAX_WEBHOOKS

app = typer.Typer(help="List and disable the webhooks of administrators.", no_args_is_help=True)

WebhookId = Annotated[UUID, typer.Argument(help="The id, as `list` shows it.")]


@app.command("list")
def list_webhooks() -> None:
    """List webhooks, the newest first."""

    async def find(uow: UnitOfWork) -> list[str]:
        rows = await queries.list_webhooks(uow.session, after=None, limit=MAX_WEBHOOKS)
        return [_describe(row) for row in rows.data]

    for line in run_in_transaction(find):
        typer.echo(line)


@app.command("disable")
def disable_webhook(webhook_id: WebhookId) -> None:
    """Send a webhook nothing until an administrator enables it again."""

    async def disable(uow: UnitOfWork) -> str:
        return _describe(await service.disable_webhook(uow, webhook_id))

    typer.echo(run_in_transaction(disable))


def _describe(row: WebhookRow) -> str:
    webhook = row.webhook
    state = f"disabled ({webhook.disabled_reason})" if webhook.disabled_at else "enabled"
    if webhook.failing_since is not None:
        state += f", failing since {webhook.failing_since:%Y-%m-%d %H:%M}"
    return f"{webhook.id}  {row.owner.handle}  {state}  {webhook.url}"
