"""A mail server on this machine, and a forum that sends its mails there."""

import re
from collections.abc import AsyncIterator
from email.message import EmailMessage
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from api.kit.services import Services
from api.kit.settings import Settings
from models import MailFrequency, NotificationChannel, NotificationKind
from tests.client import Person
from tests.mail_server import MailServer, running_mail_server


def read_part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert isinstance(part, EmailMessage)
    return str(part.get_content())


def read_link(message: EmailMessage) -> str:
    """Return the path and query of the unsubscribe link."""
    found = re.fullmatch(r"<https://forum\.example(/v1/\S+)>", message["List-Unsubscribe"])
    assert found
    return found[1]


@pytest.fixture
async def mail_server() -> AsyncIterator[MailServer]:
    async with running_mail_server() as server:
        yield server


@pytest.fixture
def settings(settings: Settings, mail_server: MailServer) -> Settings:
    changes = {
        "smtp_url": f"smtp://127.0.0.1:{mail_server.port}?starttls=never",
        "mail_from": "Forum <forum@forum.example>",
        "public_url": "https://forum.example",
    }
    return settings.model_copy(update=changes)


async def choose_mail(
    services: Services, person: Person, kind: NotificationKind, mail: MailFrequency
) -> None:
    """Choose when a person gets notifications of a kind by mail."""
    async with services.database.write_session() as session:
        row = NotificationChannel(user_id=UUID(person.id), kind=kind, mail=mail, push=False)
        await session.merge(row)


async def run_sql(services: Services, statement: str, **values: Any) -> None:
    async with services.database.write_session() as session:
        await session.execute(text(statement), values)
