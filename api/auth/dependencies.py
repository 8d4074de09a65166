"""What routes ask for: who is asking, with which scope, and a unit of work under a client's key."""

import functools
import hashlib
from contextlib import suppress
from typing import Annotated

from fastapi import Depends, Header, Request, params

from api.auth import queries
from api.auth.actor import Actor
from api.auth.errors import AccountBanned, AccountSilenced, InsufficientScope
from api.auth.policy import require_scope
from api.auth.scopes import Scope
from api.auth.tokens import TokenError, hash_token
from api.kit.db.unit_of_work import UnitOfWork
from api.kit.dependencies import UowDep, services_of
from api.kit.http.client_address import client_address, subject_of
from api.kit.http.idempotency import (
    MAX_KEY_LENGTH,
    IdempotencyInProgress,
    IdempotencyKeyReused,
    KeyedRequest,
)
from api.kit.http.routing import KEEP_RESPONSE, declares_credentials, declares_scope
from api.kit.problems import NotAuthenticated, declares

# The keys of the ASGI scope under which the actor is stored, and the hash of the token they sent.
_ACTOR = "palaver.actor"
_TOKEN_HASH = "palaver.token_hash"  # noqa: S105 - the name of a key


async def find_actor(request: Request) -> Actor | None:
    """Return who is asking, None without credentials; looked up once per request.

    Raises NotAuthenticated for credentials that are not valid: a client whose session ended must
    not silently see the forum of an anonymous reader.
    """
    if _ACTOR not in request.scope:
        token_hash = _read_token(request)
        if token_hash is None:
            request.scope[_ACTOR] = None
        else:
            await authenticate(request, token_hash)
    actor: Actor | None = request.scope[_ACTOR]
    return actor


def get_token_hash(request: Request) -> bytes:
    """Return the hash of the token that a request with an actor came with."""
    token_hash: bytes = request.scope[_TOKEN_HASH]
    return token_hash


def _read_token(request: Request) -> bytes | None:
    """Return the hash of the token in the headers. Raises NotAuthenticated."""
    given = request.headers.get("authorization")
    if given is None:
        return None
    scheme, _, token = given.partition(" ")
    if scheme.lower() != "bearer":
        raise NotAuthenticated
    try:
        return hash_token(token.strip())
    except TokenError as error:
        raise NotAuthenticated from error


async def authenticate(request: Request, token_hash: bytes) -> None:
    """Let a request be that of the person with a token. Raises NotAuthenticated."""
    services = services_of(request)
    async with services.database.read_connection() as connection:
        actor = await queries.find_actor(connection, token_hash, services.clock.now())
    if actor is None:
        raise NotAuthenticated
    request.scope[_ACTOR], request.scope[_TOKEN_HASH] = actor, token_hash


@declares_credentials
@declares(NotAuthenticated)
async def find_optional_actor(request: Request) -> Actor | None:
    """Return who is asking where credentials are optional. Raises NotAuthenticated."""
    return await find_actor(request)


async def find_actor_if_valid(request: Request) -> Actor | None:
    """Return who is asking on a public route; None for credentials that are not valid.

    Such a route ignores credentials, except where it has something that only its author sees.
    """
    with suppress(NotAuthenticated):
        return await find_actor(request)
    return None


OptionalActor = Annotated[Actor | None, Depends(find_optional_actor)]


@functools.cache
def requires(scope: Scope) -> params.Depends:
    """Return the dependency that gives a route its actor, who may use the scope.

    It refuses requests without credentials, credentials that do not cover the scope, and people
    with a restriction that closes it.
    """

    @declares_scope(scope)
    @declares(NotAuthenticated, InsufficientScope, AccountBanned, AccountSilenced)
    async def require_actor(request: Request) -> Actor:
        actor = await find_actor(request)
        if actor is None:
            raise NotAuthenticated
        require_scope(actor, scope)
        return actor

    return params.Depends(require_actor)


IdempotencyKeyHeader = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=MAX_KEY_LENGTH,
        pattern=r"^[\x21-\x7e]+$",
        description="Any text of your choice, for example a UUID. The same request sent again "
        "within 24 hours gets the response of the first one and creates nothing.",
    ),
]


@declares_credentials
@declares(IdempotencyInProgress, IdempotencyKeyReused, NotAuthenticated)
async def open_idempotent_uow(
    request: Request, uow: UowDep, key: IdempotencyKeyHeader = None
) -> UnitOfWork:
    """Give a creating route its unit of work, once per key and person."""
    if key is not None:
        actor = await find_actor(request)
        if actor is None:
            raise NotAuthenticated
        await _begin_keyed(request, uow, key, owner=f"user:{actor.id}")
    return uow


@declares(IdempotencyInProgress, IdempotencyKeyReused)
async def open_anonymous_idempotent_uow(
    request: Request, uow: UowDep, key: IdempotencyKeyHeader = None
) -> UnitOfWork:
    """Give a creating route its unit of work, once per key and address, with credentials or not.

    Two clients may choose the same key; the address tells most of them apart.
    """
    if key is not None:
        signer = services_of(request).signer
        # An address is personal data: only a keyed hash of it is stored.
        subject = signer.sign("idempotency-owner", address_of(request).encode()).hex()
        await _begin_keyed(request, uow, key, owner=f"address:{subject}")
    return uow


async def _begin_keyed(request: Request, uow: UnitOfWork, key: str, *, owner: str) -> None:
    signature = services_of(request).signer.sign("idempotency", await _digest_request(request))
    keyed = KeyedRequest(owner=owner, key=key, fingerprint=signature)
    await keyed.begin(uow)
    setattr(request.state, KEEP_RESPONSE, functools.partial(keyed.keep, uow))


async def _digest_request(request: Request) -> bytes:
    """Return what tells this request from another: method, path and body."""
    head = f"{request.method} {request.url.path}\n".encode()
    return head + hashlib.sha256(await request.body()).digest()


IdempotentUow = Annotated[UnitOfWork, Depends(open_idempotent_uow)]
AnonymousIdempotentUow = Annotated[UnitOfWork, Depends(open_anonymous_idempotent_uow)]


def address_of(request: Request) -> str:
    """Return the address or network that a request is counted against when nobody is logged in."""
    peer = request.client.host if request.client else None
    forwarded = request.headers.getlist("x-forwarded-for")
    trusted = services_of(request).settings.trusted_proxies
    return subject_of(client_address(peer, forwarded, trusted))
