"""The secrets of webhooks: stored sealed, opened to sign."""

from contextlib import suppress
from datetime import datetime
from uuid import UUID

from api.kit.sealing import SealError, seal, unseal
from api.kit.signing import Signer
from models import Webhook

_PURPOSE = "webhook-secret"


def seal_secret(signer: Signer, webhook_id: UUID, secret: str) -> bytes:
    """Return a secret as it is stored with its webhook."""
    return seal(signer, _PURPOSE, secret.encode(), place=webhook_id.bytes)


def list_secrets(signer: Signer, webhook: Webhook, now: datetime) -> list[str]:
    """Return the secrets that sign messages now, the newest first.

    Raises SealError when the newest was sealed with another key. A previous one that was is left
    out: it was replaced because of that.
    """
    secrets = [_unseal_secret(signer, webhook, webhook.secret)]
    ends_at = webhook.previous_secret_ends_at
    if webhook.previous_secret is not None and ends_at is not None and now < ends_at:
        with suppress(SealError):
            secrets.append(_unseal_secret(signer, webhook, webhook.previous_secret))
    return secrets


def _unseal_secret(signer: Signer, webhook: Webhook, sealed: bytes) -> str:
    return unseal(signer, _PURPOSE, sealed, place=webhook.id.bytes).decode()
