"""One-click unsubscribing (RFC 8058): the link of a mail, POSTed without credentials."""

from uuid import uuid4

import pytest

from api.kit.services import Services
from api.mail.unsubscribing import Unsubscription, make_token
from models import NotificationKind
from tests.client import Client, expect_problem
from tests.mail.conftest import read_link, read_part
from tests.mail.test_sending import begin_thread
from tests.mail_server import MailServer
from tests.working import work_off

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
BOUNDARY = {"Content-Type": 'multipart/form-data; boundary="b"'}
ONE_CLICK = (
    b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n'
)
# Parts within parts, as deep as a body can be.
NESTED = b"--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" * 1000


@pytest.mark.parametrize("is_multipart", [False, True])
async def test_a_post_ends_mails_of_the_kind_and_a_get_changes_nothing(
    client: Client, services: Services, mail_server: MailServer, is_multipart: bool
) -> None:
    anna, _, article, comment = await begin_thread(client)
    await anna.reply(article, "A reply.", comment)
    await work_off(services)
    (mail,) = [one for one in mail_server.read() if one["To"] == "max@example.com"]
    link = read_link(mail)
    assert f"https://forum.example{link}" in read_part(mail, "html").replace("&amp;", "&")
    for _ in range(2):
        page = await client.get(link)
        assert page.status_code == 200
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert page.headers["cache-control"] == "no-store"
        assert '<button name="List-Unsubscribe" value="One-Click">' in page.text

    if is_multipart:
        page = await client.request("POST", link, content=ONE_CLICK, headers=BOUNDARY)
    else:
        page = await client.request("POST", link, data={"List-Unsubscribe": "One-Click"})
    assert page.status_code == 200, page.text
    assert "You get no more mails about replies to your comments." in page.text
    assert "<button" not in (await client.get(link)).text
    mail_server.envelopes.clear()
    await anna.reply(article, "Another reply.", comment)
    await anna.reply(article, "@max is still told of this.")
    await work_off(services)
    (mail,) = mail_server.read()
    assert "mentioned you" in read_part(mail, "plain")


async def test_anything_else_is_refused_and_changes_nothing(
    client: Client, services: Services, mail_server: MailServer
) -> None:
    await begin_thread(client)
    await work_off(services)
    (mail,) = mail_server.read()
    link = read_link(mail)
    for options, status, code in (
        ({}, 415, "unsupported_media_type"),
        ({"json": {"List-Unsubscribe": "One-Click"}}, 415, "unsupported_media_type"),
        ({"data": {"List-Unsubscribe": "Yes"}}, 422, "validation_failed"),
        ({"data": {"Other": "One-Click"}}, 422, "validation_failed"),
        ({"content": b"--b\r\n\r\n\xff\0--b--", "headers": BOUNDARY}, 422, "validation_failed"),
        ({"content": b"a&" * 9000, "headers": FORM}, 422, "validation_failed"),
        ({"content": NESTED, "headers": BOUNDARY}, 422, "validation_failed"),
    ):
        refused = await client.request("POST", link, **options)
        expect_problem(refused, status, code)
    data = {"List-Unsubscribe": "One-Click"}
    gone = make_token(services.signer, Unsubscription(uuid4(), NotificationKind.MENTION))
    for token in (gone, link.rpartition("=")[2][:-4], "x", "%C3%BC", "A" * 120):
        path = f"/v1/mail-unsubscriptions?token={token}"
        for method in ("GET", "POST"):
            refused = await client.request(
                method, path, **({"data": data} if method == "POST" else {})
            )
            expect_problem(refused, 404, "unsubscribe_link_invalid")
    expect_problem(await client.get("/v1/mail-unsubscriptions"), 422, "validation_failed")
    assert "<button" in (await client.get(link)).text
