"""The tables: one module a domain, with every constraint and index beside the columns they guard.

A table class is neither a request nor a response: SQLModel does not validate tables, so what comes
in is checked by the schemas under `api/`, and what PostgreSQL can refuse, it refuses here again.
"""

from models.appeals import Appeal, AppealState
from models.articles import (
    MAX_NOTICE_LENGTH,
    MAX_SLOW_MODE_SECONDS,
    Article,
    ArticleState,
    ArticleTag,
    TagSettings,
)
from models.comments import (
    MAX_DEPTH,
    Comment,
    CommentMention,
    CommentRevision,
    CommentState,
    SlowModeTurn,
)
from models.credentials import Credential, CredentialKind
from models.dry_runs import DryRun
from models.epoch import DatabaseEpoch
from models.events import Delivery, OutboxEvent
from models.idempotency import IdempotencyKey
from models.mail import MailDigest
from models.metadata import metadata
from models.moderation import (
    LogAction,
    ModerationLogEntry,
    ModerationReason,
    Report,
    ReportResolution,
    ReviewItem,
    ReviewResolution,
    ReviewSource,
    RuleFigures,
)
from models.moderators import ModeratorAssignment
from models.notifications import (
    Inbox,
    MailFrequency,
    Notification,
    NotificationChannel,
    NotificationKind,
    NotificationSettings,
    ReadState,
)
from models.push import PushSubscription
from models.sanctions import RESTRICTING, TOLD, Sanction, SanctionKind
from models.screening import (
    Audience,
    Outcome,
    Phase,
    RuleAction,
    RuleKind,
    ScreeningDecision,
    ScreeningRule,
    ScreeningSettings,
)
from models.sessions import LoginSession
from models.streams import StreamTicket
from models.subscriptions import (
    ArticleSubscription,
    SubscriptionLevel,
    TagSubscription,
    UserSubscription,
)
from models.users import Handle, Role, User
from models.votes import ArticleVote, CommentVote, ScoreChange
from models.webhooks import Webhook, WebhookAttempt, WebhookDisabledReason, WebhookEventType

__all__ = [
    "MAX_DEPTH",
    "MAX_NOTICE_LENGTH",
    "MAX_SLOW_MODE_SECONDS",
    "RESTRICTING",
    "TOLD",
    "Appeal",
    "AppealState",
    "Article",
    "ArticleState",
    "ArticleSubscription",
    "ArticleTag",
    "ArticleVote",
    "Audience",
    "Comment",
    "CommentMention",
    "CommentRevision",
    "CommentState",
    "CommentVote",
    "Credential",
    "CredentialKind",
    "DatabaseEpoch",
    "Delivery",
    "DryRun",
    "Handle",
    "IdempotencyKey",
    "Inbox",
    "LogAction",
    "LoginSession",
    "MailDigest",
    "MailFrequency",
    "ModerationLogEntry",
    "ModerationReason",
    "ModeratorAssignment",
    "Notification",
    "NotificationChannel",
    "NotificationKind",
    "NotificationSettings",
    "OutboxEvent",
    "Outcome",
    "Phase",
    "PushSubscription",
    "ReadState",
    "Report",
    "ReportResolution",
    "ReviewItem",
    "ReviewResolution",
    "ReviewSource",
    "Role",
    "RuleAction",
    "RuleFigures",
    "RuleKind",
    "Sanction",
    "SanctionKind",
    "ScoreChange",
    "ScreeningDecision",
    "ScreeningRule",
    "ScreeningSettings",
    "SlowModeTurn",
    "StreamTicket",
    "SubscriptionLevel",
    "TagSettings",
    "TagSubscription",
    "User",
    "UserSubscription",
    "Webhook",
    "WebhookAttempt",
    "WebhookDisabledReason",
    "WebhookEventType",
    "metadata",
]
