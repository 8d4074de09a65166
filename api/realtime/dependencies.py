"""What the routes of streams ask for: the hub, who listens, and after which position."""

from typing import Annotated

from fastapi import Depends, Header, Query, Request

from api.auth.dependencies import address_of, authenticate, find_actor, get_token_hash
from api.kit.db.database import DatabaseUnavailable
from api.kit.dependencies import services_of
from api.kit.http.routing import declares_credentials
from api.kit.problems import NotAuthenticated, declares
from api.realtime.hub import Hub, Listener
from api.realtime.service import take_ticket

MAX_POSITION = 2**63 - 1


def get_hub(request: Request) -> Hub:
    """Return the hub of the process that answers this request."""
    hub: Hub = request.app.state.hub
    return hub


@declares(NotAuthenticated, DatabaseUnavailable)
async def use_ticket(
    request: Request,
    ticket: Annotated[
        str | None,
        Query(
            max_length=100,
            description="From POST /v1/stream-tickets, for clients that cannot send headers. It is "
            "not looked at where an access token is sent.",
        ),
    ] = None,
) -> None:
    """Let a request be that of the person who made a ticket. Raises NotAuthenticated."""
    if ticket is not None and "authorization" not in request.headers:
        await authenticate(request, await take_ticket(services_of(request), ticket))


@declares_credentials
@declares(NotAuthenticated)
async def find_listener(request: Request) -> Listener:
    """Return who opens a stream. Raises NotAuthenticated for credentials that are not valid."""
    actor = await find_actor(request)
    address = address_of(request)
    if actor is None:
        return Listener(address=address)
    if actor.session_id is not None:
        return Listener(address=address, user_id=actor.id, session_id=actor.session_id)
    return Listener(address=address, user_id=actor.id, token_hash=get_token_hash(request))


def find_position(
    header: Annotated[
        str | None,
        Header(
            alias="Last-Event-ID",
            max_length=100,
            description="The id of the last message that you got; browsers send it by themselves.",
        ),
    ] = None,
    last_event_id: Annotated[
        int | None,
        Query(
            ge=0,
            le=MAX_POSITION,
            description="The same for clients that cannot set the header, and for the first time: "
            "the stream begins after it. The header is used where both are sent.",
        ),
    ] = None,
) -> int | None:
    """Return the position after which a client wants to go on, None for now."""
    if header is None:
        return last_event_id
    is_number = header.isascii() and header.isdecimal()
    # Whatever else it is, it is none of ours: as unknown as the largest number.
    return min(int(header), MAX_POSITION) if is_number else MAX_POSITION


# Before whatever asks who it is.
TicketUse = Depends(use_ticket)
HubDep = Annotated[Hub, Depends(get_hub)]
ListenerDep = Annotated[Listener, Depends(find_listener)]
Position = Annotated[int | None, Depends(find_position)]
