"""Credentials that no operation hands out yet, and restrictions, stored as they will be."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from api.auth.tokens import hash_token, make_access_token
from api.kit.db.ids import make_id
from api.kit.services import Services
from models import Credential, CredentialKind, ModerationReason, Sanction, SanctionKind


async def make_api_token(services: Services, user_id: str, scopes: Iterable[str]) -> str:
    """Return a token that covers only these scopes, good for an hour."""
    token, now = make_access_token(), services.clock.now()
    credential = Credential(
        token_hash=hash_token(token),
        user_id=UUID(user_id),
        kind=CredentialKind.API_TOKEN,
        scopes=sorted(scopes),
        created_at=now,
        expires_at=now + timedelta(hours=1),
    )
    async with services.database.write_session() as session:
        session.add(credential)
    return token


async def restrict(
    services: Services, user_id: str, kind: SanctionKind, ends_at: datetime | None = None
) -> None:
    """Restrict a person, until a moment or until it is lifted."""
    sanction = Sanction(
        id=make_id(),
        user_id=UUID(user_id),
        kind=kind,
        reason=ModerationReason.OTHER,
        starts_at=services.clock.now(),
        ends_at=ends_at,
    )
    async with services.database.write_session() as session:
        session.add(sanction)
