"""A mail server on this machine, which says what a test wants it to say."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope


@dataclass
class MailServer:
    """What it was handed in, and what it says to recipients and to contents."""

    port: int = 0
    says_to_recipient: str = "250 OK"
    says_to_data: str = "250 OK"
    attempts: int = 0
    envelopes: list[Envelope] = field(default_factory=list)

    async def handle_RCPT(self, *given: Any) -> str:  # noqa: N802 - as aiosmtpd calls it
        _, _, envelope, address, _ = given
        self.attempts += 1
        if self.says_to_recipient.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.says_to_recipient

    async def handle_DATA(self, *given: Any) -> str:  # noqa: N802 - as aiosmtpd calls it
        envelope: Envelope = given[2]
        if self.says_to_data.startswith("250"):
            self.envelopes.append(envelope)
        return self.says_to_data

    def read(self) -> list[EmailMessage]:
        """Return the mails that it took, as the standard library parses them."""
        return [parse(envelope.original_content) for envelope in self.envelopes]


def parse(content: bytes | str | None) -> EmailMessage:
    assert isinstance(content, bytes)
    message = message_from_bytes(content, policy=default)
    assert isinstance(message, EmailMessage)
    assert message.defects == []
    return message


@asynccontextmanager
async def running_mail_server(**options: Any) -> AsyncIterator[MailServer]:
    """Run a server; `options` are those of aiosmtpd's SMTP."""
    handler = MailServer()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(handler, hostname="localhost", loop=loop, **options), "127.0.0.1", 0
    )
    handler.port = server.sockets[0].getsockname()[1]
    try:
        yield handler
    finally:
        server.close()
