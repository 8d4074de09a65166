"""`palaver demo`."""

import asyncio
from typing import Annotated

import typer

from api.cli.environment import load_settings, open_services, running_engines
from api.kit.settings import Settings
from api.transfer.demo.content import PASSWORD
from api.transfer.demo.service import DemoReport, add_demo


def demo(
    *,
    force: Annotated[
        bool, typer.Option("--force", help="Also on a forum that has other users already.")
    ] = False,
) -> None:
    """Fill an empty forum with a demo, running or not. Safe to repeat: nothing is added twice."""

    async def run(connected: Settings) -> DemoReport:
        async with open_services(connected) as services:
            return await add_demo(services, beside_others=force)

    with running_engines(load_settings()) as connected:
        report = asyncio.run(run(connected))
    typer.echo(
        f"{report.people} people, {report.threads} articles and {report.comments} comments added. "
        "See them at /v1/articles\n\n"
        f"Log in as any of these, with the password: {PASSWORD}"
    )
    for handle in report.handles:
        typer.echo(f"  {handle}")
