"""`palaver user ...`."""

import sys
from typing import Annotated

import typer
from pydantic import ValidationError

from api.accounts.schemas import UserCreate
from api.accounts.service import sign_up
from api.cli.environment import list_faults, run_in_transaction
from api.kit.db.unit_of_work import UnitOfWork
from api.kit.settings import SettingsError
from models import Role, User

app = typer.Typer(help="Manage users.", no_args_is_help=True)


@app.command("create")
def create_user(
    handle: Annotated[str, typer.Option(help="Letters a-z, digits, single inner _ or -.")],
    email: Annotated[str, typer.Option(help="To log in with, besides the handle.")],
    role: Annotated[Role, typer.Option(help="What the user may do.")] = Role.MEMBER,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
) -> None:
    """Create a user, with any role."""
    if password_stdin:
        password = sys.stdin.readline().rstrip("\n")
    else:
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    try:
        body = UserCreate(handle=handle, email=email, password=password)
    except ValidationError as error:
        raise SettingsError(list_faults(error)) from error

    async def create(uow: UnitOfWork) -> User:
        return await sign_up(uow, body, role=role)

    user = run_in_transaction(create)
    article = "an" if user.role is Role.ADMIN else "a"
    typer.echo(f"{user.handle} is {article} {user.role} now.")
