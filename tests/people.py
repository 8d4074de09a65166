"""People who are logged in, for tests whose subject is something else."""

from functools import cache
from typing import Any

import httpx
from argon2 import PasswordHasher

from api.accounts.schemas import UserCreate
from api.accounts.service import hash_login_address, login_key, start_session
from api.kit.services import Services
from api.users.schemas import UserRead
from api.users.service import add_account
from models import Role

PASSWORD = "correct horse battery"
# Where httpx says that its requests to an ASGI app come from.
ADDRESS = "127.0.0.1"


@cache
def hash_once() -> str:
    """Return a hash of PASSWORD, with which it can log in."""
    return PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1).hash(PASSWORD)


async def sign_up_and_log_in(
    services: Services, body: UserCreate, *, role: Role = Role.MEMBER
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Do what `POST /v1/users` and `POST /v1/sessions` do; return what they respond.

    Except that PASSWORD is neither hashed nor verified, which takes 50 ms of a core.
    """
    async with services.unit_of_work() as uow:
        user = await add_account(
            uow,
            handle=body.handle,
            display_name=body.display_name or body.handle,
            email=body.email,
            email_key=login_key(body.email),
            password_hash=hash_once(),
            role=role,
        )
        tokens = await start_session(
            uow,
            services,
            user.id,
            address_hash=hash_login_address(services, ADDRESS),
            user_agent=f"python-httpx/{httpx.__version__}",
        )
        account = UserRead.model_validate(user)
    return account.model_dump(mode="json"), tokens.model_dump(mode="json")
