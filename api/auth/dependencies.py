"""What routes ask for: who is asking, and a unit of work under a client's key."""

import functools
import hashlib
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Depends, Header, Request

from api.auth import queries
from api.auth.actor import Actor, ActorKind
from api.auth.tokens import TokenError, parse_access_token
from api.kit.db.unit_of_work import UnitOfWork
from api.kit.dependencies import UowDep, services_of
from api.kit.http.idempotency import (
    MAX_KEY_LENGTH,
    IdempotencyInProgress,
    IdempotencyKeyReused,
    KeyedRequest,
)
from api.kit.http.routing import KEEP_ANSWER, declares_auth
from api.kit.problems import NotAuthenticated, declares

# How long somebody counts as new.
NEWCOMER_TIME = timedelta(days=1)

# The key of the ASGI scope under which who is asking is kept.
_ACTOR = "palaver.actor"


async def find_actor(request: Request) -> Actor | None:
    """Return who is asking, None without credentials; looked up once a request.

    Raises NotAuthenticated for credentials that are no good: silently treating somebody who was
    logged out as a stranger would show them another forum.
    """
    if _ACTOR not in request.scope:
        request.scope[_ACTOR] = await _authenticate(request)
    actor: Actor | None = request.scope[_ACTOR]
    return actor


async def _authenticate(request: Request) -> Actor | None:
    given = request.headers.get("authorization")
    if given is None:
        return None
    scheme, _, token = given.partition(" ")
    if scheme.lower() != "bearer":
        raise NotAuthenticated
    services = services_of(request)
    now = services.clock.now()
    try:
        claims = parse_access_token(services.signer, token.strip(), now=now)
    except TokenError as error:
        raise NotAuthenticated from error
    async with services.database.read_connection() as connection:
        actor = await queries.find_actor(connection, claims.session_id, claims.user_id, now)
    if actor is None:
        raise NotAuthenticated
    return actor


@declares_auth(required=True)
@declares(NotAuthenticated)
async def require_actor(request: Request) -> Actor:
    """Return who is asking. Raises NotAuthenticated when nobody is logged in."""
    actor = await find_actor(request)
    if actor is None:
        raise NotAuthenticated
    return actor


CurrentActor = Annotated[Actor, Depends(require_actor)]


def kind_of(actor: Actor | None, now: datetime) -> ActorKind:
    """Return how far somebody is trusted."""
    if actor is None:
        return ActorKind.ANONYMOUS
    if actor.is_staff:
        return ActorKind.STAFF
    is_new = now - actor.created_at < NEWCOMER_TIME
    return ActorKind.NEWCOMER if is_new else ActorKind.MEMBER


@declares_auth(required=False)
@declares(IdempotencyInProgress, IdempotencyKeyReused, NotAuthenticated)
async def open_idempotent_uow(
    request: Request,
    uow: UowDep,
    key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            min_length=1,
            max_length=MAX_KEY_LENGTH,
            pattern=r"^[\x21-\x7e]+$",
            description="Any text of your choice, for example a UUID. The same request sent again "
            "within 24 hours gets the first one's answer instead of creating twice.",
        ),
    ] = None,
) -> UnitOfWork:
    """Give a creating route its unit of work, once a key."""
    actor = await find_actor(request)
    if key is not None:
        keyed = KeyedRequest(
            owner=f"user:{actor.id}" if actor else "anonymous",
            key=key,
            fingerprint=services_of(request).signer.sign(
                "idempotency", await _read_request(request)
            ),
        )
        await keyed.begin(uow)
        setattr(request.state, KEEP_ANSWER, functools.partial(keyed.keep, uow))
    return uow


async def _read_request(request: Request) -> bytes:
    """Return what tells this request from another: method, path and body."""
    head = f"{request.method} {request.url.path}\n".encode()
    return head + hashlib.sha256(await request.body()).digest()


IdempotentUow = Annotated[UnitOfWork, Depends(open_idempotent_uow)]
