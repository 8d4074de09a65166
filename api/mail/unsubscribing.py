"""Unsubscribe links: who wants no more of which mails, signed and without an end."""

import base64
import binascii
import hmac
from dataclasses import dataclass
from uuid import UUID

from api.kit.links import make_link
from api.kit.settings import Settings
from api.kit.signing import Signer
from models import MailFrequency, NotificationKind

PATH = "/v1/mail-unsubscriptions"
# Characters.
MAX_TOKEN = 120
_PURPOSE = "mail-unsubscribe"
_ID_SIZE = 16
# Bytes of the tag: nobody can try 2^128 links.
_TAG_SIZE = 16

# What is switched off: the mails of a kind, or all kinds that come in the digest of a frequency.
Subject = NotificationKind | MailFrequency
_SUBJECTS: dict[str, Subject] = {
    **{kind.value: kind for kind in NotificationKind},
    **{frequency.value: frequency for frequency in (MailFrequency.DAILY, MailFrequency.WEEKLY)},
}


class InvalidTokenError(Exception):
    """The token was not made here."""


@dataclass(frozen=True, slots=True)
class Unsubscription:
    """Who wants no more of what."""

    user_id: UUID
    subject: Subject


def make_unsubscribe_url(settings: Settings, signer: Signer, wanted: Unsubscription) -> str:
    """Return the link that ends these mails."""
    return make_link(settings, PATH, token=make_token(signer, wanted))


def make_token(signer: Signer, wanted: Unsubscription) -> str:
    """Return a token that only this service makes. It gives no other right, and does not expire."""
    content = wanted.user_id.bytes + wanted.subject.value.encode()
    tag = signer.sign(_PURPOSE, content)[:_TAG_SIZE]
    return base64.urlsafe_b64encode(tag + content).rstrip(b"=").decode()


def parse_token(signer: Signer, token: str) -> Unsubscription:
    """Return what a token stands for. Raises InvalidTokenError."""
    try:
        decoded = base64.b64decode(f"{token}{'=' * (-len(token) % 4)}", b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidTokenError from error
    tag, content = decoded[:_TAG_SIZE], decoded[_TAG_SIZE:]
    if not hmac.compare_digest(tag, signer.sign(_PURPOSE, content)[:_TAG_SIZE]):
        raise InvalidTokenError
    subject = _SUBJECTS.get(content[_ID_SIZE:].decode())
    if subject is None:  # of a newer release
        raise InvalidTokenError
    return Unsubscription(UUID(bytes=content[:_ID_SIZE]), subject)
