"""Notifications by mail, through a real mail server."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import text

from api.kit.services import Services
from api.kit.settings import Settings
from api.mail import transport
from models import CommentState, MailFrequency, NotificationKind, SanctionKind
from tests.client import Client, Person
from tests.conftest import MovableClock
from tests.credentials import restrict
from tests.lifecycle import change_states
from tests.mail.conftest import choose_mail, read_part, run_sql
from tests.mail_server import MailServer, parse, running_mail_server
from tests.working import work_off


async def count_deliveries(services: Services) -> int:
    async with services.database.read_session() as session:
        return int(await session.scalar(text("SELECT count(*) FROM deliveries")) or 0)


async def begin_thread(client: Client) -> tuple[Person, Person, str, str]:
    """Return an author, a reader, the author's article and a comment of the reader."""
    anna, max_ = await client.join("anna", display_name="Anna Öz"), await client.join("max")
    article = (await anna.post_article("On docking ports"))["id"]
    comment = (await max_.reply(article, "First **of** all."))["id"]
    return anna, max_, article, comment


async def test_replies_and_mentions_are_mailed_in_threads(
    client: Client, services: Services, mail_server: MailServer
) -> None:
    anna, _, article, comment = await begin_thread(client)
    reply = await anna.reply(article, "It *fits*, see <b>.", comment)
    await anna.reply(article, "And you, @max?")
    await work_off(services)
    mails = mail_server.read()
    assert [(mail["To"], mail["Subject"]) for mail in mails].count(
        ("anna@example.com", "Re: On docking ports")
    ) == 1
    to_max = [mail for mail in mails if mail["To"] == "max@example.com"]
    assert len(mails) == 3
    replied, mentioned = sorted(to_max, key=lambda mail: "mentioned" in read_part(mail, "plain"))
    for kind in ("plain", "html"):
        assert "Anna Öz replied to your comment in “On docking ports”." in read_part(replied, kind)
        assert f"https://forum.example/v1/comments/{reply['id']}" in read_part(replied, kind)
        assert "Anna Öz mentioned you in “On docking ports”." in read_part(mentioned, kind)
    assert "It fits, see <b>." in read_part(replied, "plain")
    assert "<em>fits</em>, see &lt;b&gt;." in read_part(replied, "html")
    root = f"<thread.{article}@forum.example>"
    assert [mail["References"].split()[0] for mail in mails] == [root] * 3
    assert replied["In-Reply-To"] == f"<thread.{comment}@forum.example>"
    assert mentioned["In-Reply-To"] == root
    assert replied["From"] == "Forum <forum@forum.example>"
    assert replied["Auto-Submitted"] == "auto-generated"
    assert replied["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert len({mail["Message-ID"] for mail in mails}) == 3
    assert mail_server.envelopes[0].mail_from == "forum@forum.example"


async def test_what_was_read_hidden_or_is_not_wanted_is_not_mailed(
    client: Client, services: Services, mail_server: MailServer
) -> None:
    anna, max_, article, comment = await begin_thread(client)
    lee, eva, ben = [await client.join(handle) for handle in ("lee", "eva", "ben")]
    theirs = {one.handle: (await one.reply(article))["id"] for one in (lee, eva, ben)}
    await work_off(services)
    mail_server.envelopes.clear()
    # Each has one reply that would be mailed.
    for under in (comment, *theirs.values()):
        await anna.reply(article, "No.", under)
    hidden = await lee.reply(article, "Look, @max.")
    await choose_mail(services, lee, NotificationKind.COMMENT_REPLY, MailFrequency.NEVER)
    await run_sql(
        services, "UPDATE notifications SET read_at = created_at WHERE user_id = :id", id=max_.id
    )
    await run_sql(services, "UPDATE users SET email = NULL WHERE id = :id", id=eva.id)
    await restrict(services, ben.id, SanctionKind.BAN)
    await change_states(services, article, [hidden["id"]], CommentState.HIDDEN)
    await work_off(services)
    assert [(mail["To"], mail["Subject"]) for mail in mail_server.read()] == []
    assert await count_deliveries(services) == 0


async def test_a_server_that_says_later_gets_it_again_and_one_that_says_never_does_not(
    client: Client, services: Services, mail_server: MailServer, clock: MovableClock
) -> None:
    anna, _, article, comment = await begin_thread(client)
    await work_off(services)
    mail_server.envelopes.clear()
    mail_server.attempts = 0
    mail_server.says_to_recipient = "451 4.7.1 Greylisted, max@example.com"
    await anna.reply(article, "Later.", comment)
    await work_off(services)
    assert await count_deliveries(services) == 1
    async with services.database.read_session() as session:
        noted = await session.scalar(text("SELECT last_error FROM deliveries"))
    assert noted == "recipient refused with 451"
    mail_server.says_to_recipient = "250 OK"
    mail_server.says_to_data = "452 4.3.1 Out of space"
    clock.advance(seconds=3)
    await work_off(services)
    mail_server.says_to_data = "250 OK"
    clock.advance(seconds=6)
    await work_off(services)
    assert len(mail_server.envelopes) == 1
    assert await count_deliveries(services) == 0

    for never in ("says_to_recipient", "says_to_data"):
        setattr(mail_server, never, "550 5.1.1 Never")
        attempts = mail_server.attempts
        anna = await client.log_in("anna")
        await anna.reply(article, "Never.", comment)
        await work_off(services)
        assert await count_deliveries(services) == 0
        assert mail_server.attempts == attempts + 1
        setattr(mail_server, never, "250 OK")
    assert len(mail_server.envelopes) == 1


@pytest.mark.parametrize("url", ["smtp://127.0.0.1:{}", "smtps://127.0.0.1:{}", "smtp://[::1]:1"])
async def test_no_mail_goes_without_encryption_unless_the_settings_say_so(
    client: Client, services: Services, mail_server: MailServer, url: str
) -> None:
    services.settings.__dict__["smtp_url"] = url.format(mail_server.port)
    await begin_thread(client)
    await work_off(services)
    assert mail_server.envelopes == []
    assert await count_deliveries(services) == 1


async def test_without_a_mail_server_mails_are_files_or_nothing(
    client: Client,
    services: Services,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path / "mail"
    services.settings.__dict__.update(smtp_url=None, mail_dir=folder)
    anna, _, article, comment = await begin_thread(client)
    await work_off(services)
    (path,) = folder.iterdir()
    mail = parse(path.read_bytes())
    assert mail["To"] == "anna@example.com"
    assert path.name == f"{str(mail['Message-ID']).strip('<').partition('@')[0]}.eml"
    monkeypatch.setattr(transport, "MAX_FILES", 2)
    for _ in range(3):
        await anna.reply(article, "More.", comment)
        await work_off(services)
    assert len(list(folder.iterdir())) == 2
    assert not path.exists()
    services.settings.__dict__.update(mail_dir=None)
    await anna.reply(article, "Nothing.", comment)
    await work_off(services)
    assert len(list(folder.iterdir())) == 2
    assert await count_deliveries(services) == 0


async def test_with_starttls_the_certificate_is_checked_and_the_password_is_sent(
    client: Client, services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "server.pem"
    path.write_bytes(make_certificate())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    logins: list[tuple[bytes, bytes]] = []

    def log_in(_: object, session: object, envelope: object, mechanism: str, data: Any) -> Any:
        logins.append((data.login, data.password))
        return AuthResult(success=True)

    async with running_mail_server(
        tls_context=context, require_starttls=True, auth_required=True, authenticator=log_in
    ) as server:
        services.settings.__dict__["smtp_url"] = f"smtp://max:p%40ss@127.0.0.1:{server.port}"
        anna, _, article, comment = await begin_thread(client)
        await work_off(services)
        assert logins == []
        assert await count_deliveries(services) == 1
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
        await anna.reply(article, "A reply.", comment)
        await work_off(services)
    assert logins == [(b"max", b"p@ss")]
    assert len(server.envelopes) == 1


def make_certificate() -> bytes:
    """Return a key and a certificate of 127.0.0.1 that it signed itself."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.now(UTC)
    address = x509.IPAddress(ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private + certificate.public_bytes(Encoding.PEM)
