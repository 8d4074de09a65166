"""What mails say of notifications."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from markupsafe import Markup
from sqlalchemy import RowMapping

from api.kit.links import make_link
from api.kit.settings import Settings
from api.kit.signing import Signer
from api.kit.text.excerpts import make_plain_text
from api.mail.messages import Mail, get_sender
from api.mail.rendering import render
from api.mail.unsubscribing import Unsubscription, make_unsubscribe_url
from models import AppealState, LogAction, MailFrequency, NotificationKind, SanctionKind

# Code points of a comment's HTML that a mail has; of a longer one it has the beginning as text.
_MAX_HTML = 20_000
# Code points of a comment's text in a mail, and in one of a digest's items.
MAX_TEXT = 4_000
MAX_DIGEST_TEXT = 500

_SENTENCES = {
    NotificationKind.MENTION: "{actor} mentioned you in “{title}”.",
    NotificationKind.COMMENT_REPLY: "{actor} replied to your comment in “{title}”.",
    NotificationKind.ARTICLE_REPLY: "{actor} commented on your article “{title}”.",
    NotificationKind.FOLLOWED: "{actor} commented in “{title}”.",
    NotificationKind.NEW_ARTICLE: "{actor} published “{title}”.",
}
_BECAUSE = {
    NotificationKind.MENTION: "you were mentioned",
    NotificationKind.COMMENT_REPLY: "it is a reply to your comment",
    NotificationKind.ARTICLE_REPLY: "it is a comment on your article",
    NotificationKind.FOLLOWED: "you follow this discussion, its author or one of its tags",
    NotificationKind.NEW_ARTICLE: "you follow its author or one of its tags",
    NotificationKind.DECISION: "it is about you or about what you wrote",
    NotificationKind.APPEAL: "you appealed against a decision",
    NotificationKind.WEBHOOK_DISABLED: "you own this webhook",
}
_DECISIONS = {
    LogAction.APPROVE: "A moderator approved your comment.",
    LogAction.HIDE: "Your comment was hidden.",
    LogAction.REMOVE: "A moderator removed your comment.",
    LogAction.RESTORE: "A moderator restored your comment.",
    LogAction.UNDO: "A moderator took another look at your comment and changed a decision.",
    LogAction.LIFT_SANCTION: "A moderator lifted a restriction of your account.",
}
_SANCTIONS = {
    SanctionKind.WARNING: "A moderator sent you a warning.",
    SanctionKind.SILENCE: "A moderator silenced your account: you can read, and publish nothing.",
    SanctionKind.BAN: "A moderator banned your account.",
}
_OTHER_DECISION = "A moderator made a decision about you."


@dataclass(frozen=True, slots=True)
class Item:
    """A notification as a mail shows it."""

    sentence: str
    details: Sequence[str]
    text: str | None
    html: Markup | None
    link: str | None


def to_mail(settings: Settings, signer: Signer, row: RowMapping) -> Mail:
    """Return the mail of one notification.

    `row` is one of `find_deliverable`, of a recipient who has an address.
    """
    kind = NotificationKind(row["kind"])
    item = to_item(settings, row, max_text=MAX_TEXT)
    subject = _name_subject(kind, row, item)
    url = make_unsubscribe_url(settings, signer, Unsubscription(row["user_id"], kind))
    text, html = render(
        "notifications",
        subject=subject,
        items=[item],
        more=0,
        because=f"You get this mail because {_BECAUSE[kind]}.",
        unsubscribe_url=url,
    )
    return Mail(
        recipient=row["recipient_email"],
        subject=subject,
        text=text,
        html=html,
        # With its number: one that comes in again for a stronger reason is another mail.
        message_id=f"{row['id']}.{row['number']}",
        references=_list_references(row),
        unsubscribe_url=url,
    )


def to_item(settings: Settings, row: RowMapping, *, max_text: int) -> Item:
    """Return what a mail says of a notification."""
    kind = NotificationKind(row["kind"])
    actor = row["actor_display_name"] or row["actor_handle"] or "Someone"
    sentence, details = _describe(kind, row)
    html = row["comment_html"]
    text = make_plain_text(html, max_text) if html else None
    return Item(
        sentence=sentence.format(actor=actor, title=row["article_title"] or ""),
        details=details,
        text=text,
        # Cleaned when it was written. What is cut goes through the template as text.
        html=_to_html(html, text) if html and text and max_text == MAX_TEXT else _keep_lines(text),
        link=_make_article_link(settings, row),
    )


def to_digest(
    settings: Settings,
    signer: Signer,
    rows: Sequence[RowMapping],
    *,
    frequency: MailFrequency,
    up_to: int,
    more: int,
) -> Mail:
    """Return the digest of one person's notifications, at least one.

    `more` is how many others there are, and `up_to` the number of the last.
    """
    user_id = rows[0]["user_id"]
    count = len(rows) + more
    name = get_sender(settings).name
    subject = f"{name}: {count} new notification{'s' if count > 1 else ''}"
    url = make_unsubscribe_url(settings, signer, Unsubscription(user_id, frequency))
    text, html = render(
        "notifications",
        subject=subject,
        items=[to_item(settings, row, max_text=MAX_DIGEST_TEXT) for row in rows],
        more=more,
        because=f"You chose to get your notifications as a {frequency.value} digest.",
        unsubscribe_url=url,
    )
    return Mail(
        recipient=rows[0]["recipient_email"],
        subject=subject,
        text=text,
        html=html,
        message_id=f"{frequency.value}.{user_id}.{up_to}",
        unsubscribe_url=url,
    )


def _describe(kind: NotificationKind, row: RowMapping) -> tuple[str, list[str]]:
    """Return the sentence that a mail begins with, and what it says besides the text."""
    match kind:
        case NotificationKind.DECISION:
            return _describe_decision(row)
        case NotificationKind.APPEAL:
            is_granted = row["appeal_outcome"] == AppealState.GRANTED
            outcome = "granted" if is_granted else "refused"
            return f"Your appeal was {outcome}.", _fill(row["appeal_reason"])
        case NotificationKind.WEBHOOK_DISABLED:
            sentence = "One of your webhooks was switched off."
            return sentence, ["Its address is gone, or did not take messages for a long time."]
        case _:
            return _SENTENCES[kind], []


def _describe_decision(row: RowMapping) -> tuple[str, list[str]]:
    action = row["action"]
    if action == LogAction.SANCTION:
        details = [*_name_reason(row), *_fill(row["sanction_message"])]
        if row["sanction_ends_at"] is not None:
            details.append(f"It ends on {_to_day(row['sanction_ends_at'])}.")
        return _SANCTIONS.get(row["sanction_kind"], _OTHER_DECISION), details
    return _DECISIONS.get(action, _OTHER_DECISION), _name_reason(row)


def _name_reason(row: RowMapping) -> list[str]:
    reason = row["reason"]
    return [] if reason is None else [f"Reason: {reason.value.replace('_', ' ')}"]


def _name_subject(kind: NotificationKind, row: RowMapping, item: Item) -> str:
    """Return the subject: one for all mails of a thread, which mail clients show together."""
    title = row["article_title"]
    if title is None or kind in (NotificationKind.DECISION, NotificationKind.APPEAL):
        return item.sentence.rstrip(".")
    return str(title) if kind is NotificationKind.NEW_ARTICLE else f"Re: {title}"


def _list_references(row: RowMapping) -> list[str]:
    """Return the ids of the thread that a mail belongs to: of its article, and what it is about."""
    parents = (row["article_id"], row["group_id"])
    ids = dict.fromkeys(f"thread.{one}" for one in parents if one is not None)
    return [] if row["article_id"] is None and row["appeal_id"] is None else list(ids)


def _make_article_link(settings: Settings, row: RowMapping) -> str | None:
    """Return where to read it: on the article's own site, or the resource of this service."""
    url, slug, comment_id = row["article_url"], row["article_slug"], row["comment_id"]
    if slug is None:
        return None
    if comment_id is None or row["comment_html"] is None:
        return url or make_link(settings, f"/v1/articles/{slug}")
    if url is None:
        return make_link(settings, f"/v1/comments/{comment_id}")
    return str(url) if "#" in url else f"{url}#comment-{comment_id}"


def _to_html(html: str, text: str) -> Markup:
    return Markup(html) if len(html) <= _MAX_HTML else _keep_lines(text) or Markup()  # noqa: S704 - cleaned when it was written


def _keep_lines(text: str | None) -> Markup | None:
    if text is None:
        return None
    return Markup("<br>").join(text.split("\n"))


def _fill(text: str | None) -> list[str]:
    return [text] if text else []


def _to_day(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
