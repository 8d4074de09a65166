"""A mail as the standard library's message: headers that nothing can be put into, two parts."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import parseaddr

from api.kit.settings import Settings

# Code points of a subject; longer ones are cut.
MAX_SUBJECT = 150
# Of mails that are written into a folder.
_DEFAULT_SENDER = "Palaver <palaver@localhost>"
_BIDIRECTIONAL = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)


class _PlainHeader(UnstructuredHeader):
    """ASCII words, folded between them only.

    The standard library encodes a word that is longer than a line, which no mail client reads in a
    URL or a message id.
    """

    name: str

    def fold(self, *, policy: Policy) -> str:
        """Return the header as lines."""
        words = f"{policy.linesep} ".join(str(self).split())
        return f"{self.name}: {words}{policy.linesep}"


def _make_policy() -> Policy:
    registry = HeaderRegistry()
    for name in ("Message-ID", "In-Reply-To", "References", "List-Unsubscribe"):
        registry.map_to_type(name, _PlainHeader)  # type: ignore[arg-type]  # made a header there
    return SMTP.clone(header_factory=registry)


_POLICY = _make_policy()


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """What a mail says, and to which address."""

    recipient: str
    subject: str
    text: str
    html: str
    # Made from ids, so that a mail that is sent twice is seen once. Ids without their domain.
    message_id: str
    # What it belongs to, from the beginning of the thread on; the last is what it replies to.
    references: Sequence[str] = ()
    # Of mails that one can do without: where a POST ends them (RFC 8058).
    unsubscribe_url: str | None = None


@dataclass(frozen=True, slots=True)
class Sender:
    """Who all mails come from."""

    name: str
    address: str

    @property
    def domain(self) -> str:
        """The part of the address after the @."""
        return self.address.rpartition("@")[2]


def get_sender(settings: Settings) -> Sender:
    """Return the sender of the settings."""
    name, address = parseaddr(settings.mail_from or _DEFAULT_SENDER)
    return Sender(name or "Palaver", address)


def make_message(settings: Settings, mail: Mail, now: datetime) -> EmailMessage:
    """Return a mail as it is sent.

    Raises ValueError for an address that no header can have, or whose local part is not ASCII.
    """
    sender = get_sender(settings)
    message = EmailMessage(policy=_POLICY)
    message["From"] = Address(sender.name, addr_spec=sender.address)
    message["To"] = _parse_address(mail.recipient)
    message["Subject"] = clean_subject(mail.subject)
    message["Date"] = now
    message["Message-ID"] = _bracket(mail.message_id, sender)
    if mail.references:
        message["In-Reply-To"] = _bracket(mail.references[-1], sender)
        message["References"] = " ".join(_bracket(one, sender) for one in mail.references)
    # Nobody's out-of-office note should reply to it (RFC 3834; the second is for Exchange).
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    if mail.unsubscribe_url is not None:
        message["List-Id"] = f"<notifications.{sender.domain}>"
        message["Precedence"] = "list"
        message["List-Unsubscribe"] = f"<{mail.unsubscribe_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    return message


def clean_subject(text: str) -> str:
    """Return a text as one line that a header can have, cut to MAX_SUBJECT.

    Without control and text direction characters, and without what a parser would decode.
    """
    kept = "".join(
        " " if unicodedata.category(character) in {"Cc", "Zl", "Zp"} else character
        for character in text
        if character not in _BIDIRECTIONAL and unicodedata.category(character) != "Cs"
    )
    line = " ".join(kept.replace("=?", "= ?").split())
    return line if len(line) <= MAX_SUBJECT else f"{line[: MAX_SUBJECT - 1].rstrip()}\u2026"


def _parse_address(address: str) -> Address:
    """Return an address with its domain as in the DNS. Raises ValueError."""
    local, _, domain = address.rpartition("@")
    try:
        return Address(addr_spec=f"{local}@{domain.encode('idna').decode()}")
    except MessageError as error:
        raise ValueError("not an address") from error


def _bracket(message_id: str, sender: Sender) -> str:
    return f"<{message_id}@{sender.domain}>"
