"""The page behind an unsubscribe link."""

from api.mail.rendering import render_page
from api.mail.unsubscribing import Subject
from models import MailFrequency, NotificationKind

_MAILS = {
    NotificationKind.MENTION: "mails about mentions",
    NotificationKind.COMMENT_REPLY: "mails about replies to your comments",
    NotificationKind.ARTICLE_REPLY: "mails about comments on your articles",
    NotificationKind.FOLLOWED: "mails about new comments in what you follow",
    NotificationKind.NEW_ARTICLE: "mails about new articles in what you follow",
    NotificationKind.DECISION: "mails about decisions of moderators",
    NotificationKind.APPEAL: "mails about your appeals",
    NotificationKind.WEBHOOK_DISABLED: "mails about your webhooks",
    MailFrequency.DAILY: "daily digests",
    MailFrequency.WEEKLY: "weekly digests",
}


def render_unsubscribe_page(site: str, subject: Subject, *, is_on: bool) -> str:
    """Return the page that says whether these mails are on, with a button that ends them."""
    return render_page(
        "unsubscribe", title=f"Mails from {site}", mails=_MAILS[subject], is_on=is_on
    )
