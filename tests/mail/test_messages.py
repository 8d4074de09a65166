"""Mails as messages: nothing can be put into their headers, and each part says the same."""

from datetime import UTC, datetime
from email.policy import SMTP
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from api.kit.settings import Settings
from api.kit.signing import Signer
from api.mail.messages import MAX_SUBJECT, Mail, make_message
from api.mail.presenters import to_digest, to_mail
from api.mail.unsubscribing import (
    InvalidTokenError,
    Unsubscription,
    make_token,
    parse_token,
)
from models import (
    AppealState,
    LogAction,
    MailFrequency,
    ModerationReason,
    NotificationKind,
    SanctionKind,
)
from tests.mail.conftest import read_part
from tests.mail_server import parse

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SETTINGS = Settings(
    smtp_url="smtp://mail.example",
    mail_from="Forum <forum@forum.example>",
    public_url="https://" + "long-label." * 12 + "example",
)
SIGNER = Signer("a secret of the tests")
FIELDS = {
    *("From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "MIME-Version"),
    *("Auto-Submitted", "X-Auto-Response-Suppress", "List-Id", "Precedence", "List-Unsubscribe"),
    *("List-Unsubscribe-Post", "Content-Type"),
}
# Whatever the database takes, and what others have put into headers.
HOSTILE = st.one_of(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=300),
    st.lists(
        st.sampled_from(
            [
                *("\r\nBcc: x@y.example", "\n\n<b>", "=?utf-8?q?=0D=0ABcc:x?=", "<a@b.example>"),
                *("Ö" * 40, "語" * 80, "x" * 90, "\u202e", "\u2028", "\u200d", "é", "{a}"),
                *(" ", "\t", '"', ","),
            ]
        ),
        max_size=12,
    ).map("".join),
)


def make_row(**changes: Any) -> Any:
    row: dict[str, Any] = {
        "id": uuid4(),
        "user_id": uuid4(),
        "number": 7,
        "kind": NotificationKind.COMMENT_REPLY,
        "group_id": uuid4(),
        "article_id": uuid4(),
        "comment_id": uuid4(),
        "appeal_id": None,
        "recipient_email": "max@example.com",
        "actor_handle": "anna",
        "actor_display_name": "Anna <b>",
        "article_slug": "on-docking-ports",
        "article_title": "On docking & ports",
        "article_url": None,
        "comment_html": "<p>I <em>see</em>.</p>\n<ul>\n<li>one</li>\n<li>two</li>\n</ul>\n",
        "action": None,
        "reason": None,
        "sanction_kind": None,
        "sanction_message": None,
        "sanction_ends_at": None,
        "appeal_outcome": None,
        "appeal_reason": None,
    }
    return row | changes


@given(title=HOSTILE, name=HOSTILE, reason=HOSTILE, kind=st.sampled_from(NotificationKind))
@hypothesis_settings(max_examples=150)
def test_nothing_that_people_write_gets_into_the_headers(
    title: str, name: str, reason: str, kind: NotificationKind
) -> None:
    row = make_row(
        kind=kind,
        article_title=title,
        actor_display_name=name,
        appeal_reason=reason,
        sanction_message=reason,
        action=LogAction.SANCTION,
        reason=ModerationReason.OFF_TOPIC,
        sanction_kind=SanctionKind.SILENCE,
    )
    mail = to_mail(SETTINGS, SIGNER, row)
    content = make_message(SETTINGS, mail, NOW).as_bytes(policy=SMTP)
    assert max(map(len, content.split(b"\r\n"))) <= 998
    message = parse(content)
    assert set(message.keys()) == FIELDS
    assert len(message.keys()) == len(FIELDS)
    assert message["To"] == "max@example.com"
    assert message["From"] == "Forum <forum@forum.example>"
    # What a parser of another kind makes of it, too: each header is on lines of its own.
    head = content.partition(b"\r\n\r\n")[0].decode("ascii")
    assert {line.partition(":")[0] for line in head.split("\r\n") if line[0] not in " \t"} == FIELDS
    # As it is, not in encoded words, which mail programs do not read there.
    lines = head.replace("\r\n ", " ").split("\r\n")
    assert f"List-Unsubscribe: <{mail.unsubscribe_url}>" in lines
    assert f"Message-ID: <{row['id']}.7@forum.example>" in lines
    # Where a line was folded the parser may see two spaces.
    subject = " ".join(str(message["Subject"]).split())
    assert len(subject) <= MAX_SUBJECT
    assert subject.isprintable() or "\u200d" in subject or not subject.isascii()
    assert message["List-Unsubscribe"] == f"<{mail.unsubscribe_url}>"
    assert message["Message-ID"] == f"<{row['id']}.7@forum.example>"
    assert message["References"].split()[0] == f"<thread.{row['article_id']}@forum.example>"
    assert message["In-Reply-To"] == f"<thread.{row['group_id']}@forum.example>"
    assert "<b>" not in read_part(message, "html")


def test_both_parts_say_the_same() -> None:
    message = make_message(SETTINGS, to_mail(SETTINGS, SIGNER, make_row()), NOW)
    text, html = read_part(message, "plain"), read_part(message, "html")
    assert text.startswith(
        "Anna <b> replied to your comment in “On docking & ports”.\n\nI see.\n\none\ntwo\n\nhttps://"
    )
    assert "Anna &lt;b&gt; replied to your comment in “On docking &amp; ports”." in html
    assert "<p>I <em>see</em>.</p>" in html
    assert "<style" not in html
    assert 'style="' in html
    for part in (text, html):
        assert "/v1/comments/" in part
        assert "/v1/mail-unsubscriptions?token=" in part


@pytest.mark.parametrize(
    ("changes", "subject", "words"),
    [
        ({"kind": NotificationKind.MENTION}, "Re: On docking & ports", "mentioned you in"),
        ({"kind": NotificationKind.NEW_ARTICLE}, "On docking & ports", "Anna <b> published"),
        (
            {
                "kind": NotificationKind.DECISION,
                "action": LogAction.REMOVE,
                "reason": ModerationReason.OFF_TOPIC,
                "comment_html": None,
            },
            "A moderator removed your comment",
            "Reason: off topic",
        ),
        (
            {
                "kind": NotificationKind.DECISION,
                "action": LogAction.SANCTION,
                "reason": ModerationReason.SPAM,
                "sanction_kind": SanctionKind.BAN,
                "sanction_message": "No adverts.",
                "sanction_ends_at": NOW,
                "article_slug": None,
                "article_title": None,
            },
            "A moderator banned your account",
            "Reason: spam\n\nNo adverts.\n\nIt ends on 2026-11-24 12:00 UTC.",
        ),
        (
            {
                "kind": NotificationKind.APPEAL,
                "appeal_outcome": AppealState.GRANTED,
                "appeal_reason": "You were right.",
            },
            "Your appeal was granted",
            "You were right.",
        ),
        (
            {"kind": NotificationKind.WEBHOOK_DISABLED, "article_id": None, "article_title": None},
            "One of your webhooks was switched off",
            "for a long time",
        ),
    ],
)
def test_each_kind_says_what_happened(changes: dict[str, Any], subject: str, words: str) -> None:
    mail = to_mail(SETTINGS, SIGNER, make_row(**changes))
    assert mail.subject == subject
    assert words in mail.text


def test_the_site_of_an_article_is_linked_where_it_has_one() -> None:
    row = make_row(article_url="https://blog.example/ports?x=1")
    link = f"https://blog.example/ports?x=1#comment-{row['comment_id']}"
    assert link in to_mail(SETTINGS, SIGNER, row).text


def test_a_long_text_is_cut_and_a_digest_has_less_of_it() -> None:
    row = make_row(comment_html="<p>" + "word " * 10_000 + "</p>")
    mail = to_mail(SETTINGS, SIGNER, row)
    assert "word…" in mail.text
    assert len(mail.html) < 12_000
    digest = to_digest(
        SETTINGS,
        SIGNER,
        [row, make_row(user_id=row["user_id"])],
        frequency=MailFrequency.WEEKLY,
        up_to=9,
        more=3,
    )
    assert digest.subject == "Forum: 5 new notifications"
    assert digest.message_id == f"weekly.{row['user_id']}.9"
    assert len(digest.text) < 2_000
    assert "And 3 more in your inbox." in digest.text


def test_an_address_that_no_header_can_have_is_refused() -> None:
    def make(recipient: str) -> Any:
        mail = Mail(recipient=recipient, subject="x", text="x", html="x", message_id="x")
        return make_message(SETTINGS, mail, NOW)["To"]

    for wrong in ("a@b\nBcc: c@d", "a,b@example.com", "ü@example.com", "a@" + "b" * 300, "a@.", ""):
        with pytest.raises(ValueError):
            make(wrong)
    assert make("max@bücher.example") == "max@xn--bcher-kva.example"


@given(st.text(max_size=60), st.integers(0, 200), st.integers(1, 255))
def test_no_other_token_is_taken(text: str, place: int, change: int) -> None:
    wanted = Unsubscription(uuid4(), NotificationKind.MENTION)
    token = make_token(SIGNER, wanted)
    assert parse_token(SIGNER, token) == wanted
    place %= len(token)
    changed = token[:place] + chr(ord(token[place]) ^ change) + token[place + 1 :]
    for other in (text, changed, make_token(Signer("another secret"), wanted)):
        try:
            # The last letter of Base64 has bits that say nothing.
            assert parse_token(SIGNER, other) == wanted
            assert other[:-1] == token[:-1]
        except InvalidTokenError:
            pass
