"""How mails leave: through the mail server of the settings, or as files in a folder."""

import asyncio
import re
import ssl
from email.message import EmailMessage
from pathlib import Path
from tempfile import NamedTemporaryFile
from urllib.parse import urlsplit

import aiosmtplib
from aiosmtplib.errors import (
    SMTPDataError,
    SMTPException,
    SMTPNotSupported,
    SMTPRecipientsRefused,
    SMTPResponseException,
)

from api.kit.effects import DeliveryFailedError
from api.kit.links import get_public_url
from api.kit.settings import Settings
from api.kit.smtp import SmtpServer, parse_smtp_url

# Seconds for each step of a conversation with the mail server.
TIMEOUT = 10.0
# Mails that the folder keeps; the oldest make room.
MAX_FILES = 1_000
_PERMANENT = 500


class MailRefusedError(Exception):
    """The mail server will never take this mail; the message has no address in it."""


class MailDelayedError(DeliveryFailedError):
    """The mail could not be handed in, and may be later; the message has no address in it."""


def can_send(settings: Settings) -> bool:
    """Tell whether mails go anywhere."""
    return settings.smtp_url is not None or settings.mail_dir is not None


async def send_message(settings: Settings, message: EmailMessage) -> None:
    """Hand in a mail, or write it into the folder. Raises MailRefusedError or MailDelayedError."""
    if settings.smtp_url is not None:
        await _hand_in(settings, parse_smtp_url(settings.smtp_url), message)
    elif settings.mail_dir is not None:
        await asyncio.to_thread(_write_file, settings.mail_dir, message)


async def check_server(settings: Settings, server: SmtpServer) -> None:
    """Connect, log in and leave. Raises MailDelayedError."""
    try:
        async with await _make_client(settings, server):
            pass
    except (SMTPException, OSError) as error:
        raise MailDelayedError(_describe(error)) from error


async def _hand_in(settings: Settings, server: SmtpServer, message: EmailMessage) -> None:
    # One connection for each mail: a server that is slow or closes it delays no other mail.
    try:
        async with await _make_client(settings, server) as client:
            await client.send_message(message)
    except (SMTPException, OSError) as error:
        refused = _is_permanent(error)
        raise (MailRefusedError if refused else MailDelayedError)(_describe(error)) from error


async def _make_client(settings: Settings, server: SmtpServer) -> aiosmtplib.SMTP:
    uses_tls = server.uses_tls or server.uses_starttls
    # It reads the certificates of the system: some 20 ms.
    context = await asyncio.to_thread(ssl.create_default_context) if uses_tls else None
    return aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        username=server.username,
        password=server.password,
        use_tls=server.uses_tls,
        start_tls=server.uses_starttls,
        tls_context=context,
        # By default it looks up the name of this machine, and waits for that.
        local_hostname=urlsplit(get_public_url(settings)).hostname,
        timeout=TIMEOUT,
    )


def _is_permanent(error: Exception) -> bool:
    """Return whether a failure is about this mail, and not about the server or the settings."""
    if isinstance(error, SMTPRecipientsRefused):
        return all(one.code >= _PERMANENT for one in error.recipients)
    if isinstance(error, SMTPNotSupported):  # an address beyond ASCII, at a server without SMTPUTF8
        return True
    return isinstance(error, SMTPDataError) and error.code >= _PERMANENT


def _describe(error: Exception) -> str:
    """Return the kind of an error, without texts of the server, which repeat addresses."""
    if isinstance(error, SMTPRecipientsRefused):
        codes = ", ".join(str(one.code) for one in error.recipients)
        return f"recipient refused with {codes}"
    if isinstance(error, SMTPResponseException):
        return f"{type(error).__name__} {error.code}"
    return type(error).__name__


def _write_file(folder: Path, message: EmailMessage) -> None:
    """Write a mail as a file, named by its id: one that is sent twice is one file."""
    name = re.sub(r"[^A-Za-z0-9.-]", "", str(message["Message-ID"]).partition("@")[0])
    folder.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=folder, delete=False) as file:
        file.write(message.as_bytes())
    Path(file.name).replace(folder / f"{name}.eml")
    files = sorted(folder.glob("*.eml"), key=lambda path: path.stat().st_mtime)
    for old in files[:-MAX_FILES]:
        old.unlink(missing_ok=True)
