"""Daily and weekly digests: each notification in one of them at most, and none that is empty."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from api.jobs import JOBS
from api.kit.jobs import run_job
from api.kit.services import Services
from api.mail.service import find_last_time
from models import MailFrequency, NotificationKind
from tests.client import Client
from tests.conftest import MovableClock
from tests.mail.conftest import choose_mail, read_link, read_part, run_sql
from tests.mail.test_sending import begin_thread
from tests.mail_server import MailServer
from tests.working import work_off

SCHEDULING = next(job for job in JOBS if job.name == "schedule_digests")


async def send_digests(services: Services) -> None:
    await run_job(services, SCHEDULING)
    await work_off(services)


@pytest.mark.parametrize(("frequency", "days"), [("daily", 1), ("weekly", 7)])
async def test_a_digest_has_what_came_since_the_last(
    client: Client,
    services: Services,
    mail_server: MailServer,
    clock: MovableClock,
    frequency: str,
    days: int,
) -> None:
    anna, max_, article, comment = await begin_thread(client)
    chosen = MailFrequency(frequency)
    for kind in (NotificationKind.COMMENT_REPLY, NotificationKind.MENTION):
        await choose_mail(services, max_, kind, chosen)
    await send_digests(services)
    mail_server.envelopes.clear()
    await anna.reply(article, "A reply.", comment)
    read = await anna.reply(article, "Read, @max?")
    await anna.reply(article, "A mention, @max.")
    await run_sql(
        services,
        "UPDATE notifications SET read_at = created_at WHERE object_id = :id",
        id=read["id"],
    )
    await send_digests(services)
    assert mail_server.read() == []

    clock.advance(days=days)
    await send_digests(services)
    await send_digests(services)
    (digest,) = mail_server.read()
    assert digest["To"] == "max@example.com"
    assert digest["Subject"] == "Forum: 2 new notifications"
    said = read_part(digest, "plain")
    assert said.index("A reply.") < said.index("A mention, @max.")
    assert "Read, @max?" not in said
    assert "<p>" not in said
    assert "A mention, " in read_part(digest, "html")

    # Nothing new, nothing sent; then only what is new.
    clock.advance(days=days)
    await send_digests(services)
    assert len(mail_server.envelopes) == 1
    anna = await client.log_in("anna")
    await anna.reply(article, "News.", comment)
    clock.advance(days=days)
    await send_digests(services)
    digest = mail_server.read()[1]
    assert digest["Subject"] == "Forum: 1 new notification"
    assert digest["Message-ID"] != mail_server.read()[0]["Message-ID"]
    assert "A reply." not in read_part(digest, "plain")

    # The link of a digest ends all that comes in it.
    link = read_link(digest)
    page = await client.request("POST", link, data={"List-Unsubscribe": "One-Click"})
    assert f"You get no more {frequency} digests." in page.text
    async with services.database.read_session() as session:
        chosen_now = await session.execute(
            text("SELECT DISTINCT mail FROM notification_channels WHERE user_id = :id"),
            {"id": max_.id},
        )
        assert chosen_now.scalars().all() == ["never"]


async def test_a_digest_that_a_server_refuses_for_now_is_sent_later_and_a_long_one_is_cut(
    client: Client,
    services: Services,
    mail_server: MailServer,
    clock: MovableClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("api.mail.service.MAX_ITEMS", 2)
    monkeypatch.setattr("api.mail.service.DIGEST_BATCH", 1)
    anna, max_, article, comment = await begin_thread(client)
    await choose_mail(services, max_, NotificationKind.COMMENT_REPLY, MailFrequency.DAILY)
    await choose_mail(services, anna, NotificationKind.ARTICLE_REPLY, MailFrequency.DAILY)
    await send_digests(services)
    mail_server.envelopes.clear()
    for number in range(4):
        await anna.reply(article, f"Number {number}.", comment)
    mail_server.says_to_recipient = "451 Later"
    clock.advance(days=1)
    await send_digests(services)
    mail_server.says_to_recipient = "250 OK"
    clock.advance(seconds=5)
    await send_digests(services)
    (digest,) = mail_server.read()
    assert digest["Subject"] == "Forum: 4 new notifications"
    said = read_part(digest, "plain")
    assert "Number 2." in said
    assert "Number 3." in said
    assert "Number 1." not in said
    assert "And 2 more in your inbox." in said


@pytest.mark.parametrize(
    ("moment", "daily", "weekly"),
    [
        ("2026-11-24T07:00", "2026-11-24T07:00", "2026-11-23T07:00"),
        ("2026-11-24T06:59", "2026-11-23T07:00", "2026-11-23T07:00"),
        ("2026-11-23T06:59", "2026-11-22T07:00", "2026-11-16T07:00"),
    ],
)
def test_when_digests_are_due(moment: str, daily: str, weekly: str) -> None:
    now = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    for frequency, expected in ((MailFrequency.DAILY, daily), (MailFrequency.WEEKLY, weekly)):
        due = find_last_time(frequency, now, hour=7)
        assert due == datetime.fromisoformat(expected).replace(tzinfo=UTC)
        assert due > now - timedelta(days=7)
