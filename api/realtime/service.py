"""Tickets: made with a credential, used once to open a stream."""

from datetime import timedelta

from api.auth.tokens import TokenError, hash_ticket, make_ticket
from api.kit.db.unit_of_work import UnitOfWork
from api.kit.problems import NotAuthenticated
from api.kit.services import Services
from api.realtime import queries
from api.realtime.schemas import TicketRead
from models import StreamTicket

# Short, since it stands in a URL, which servers in between may log.
TICKET_LIFETIME = timedelta(seconds=60)


async def create_ticket(uow: UnitOfWork, token_hash: bytes) -> TicketRead:
    """Make a ticket that stands for a token."""
    ticket = make_ticket()
    row = StreamTicket(
        ticket_hash=hash_ticket(ticket),
        token_hash=token_hash,
        expires_at=uow.now + TICKET_LIFETIME,
    )
    uow.session.add(row)
    return TicketRead(ticket=ticket, expires_in=int(TICKET_LIFETIME.total_seconds()))


async def take_ticket(services: Services, ticket: str) -> bytes:
    """Use a ticket up; return the hash of the token that it stands for. Raises NotAuthenticated."""
    refusal = NotAuthenticated("Create a new ticket with POST /v1/stream-tickets, use it once.")
    try:
        ticket_hash = hash_ticket(ticket)
    except TokenError as error:
        raise refusal from error
    async with services.database.write_session() as session:
        token_hash = await queries.take_ticket(session, ticket_hash, services.clock.now())
    if token_hash is None:
        raise refusal
    return token_hash
