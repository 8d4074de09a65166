"""Scopes: what a credential may be used for. Each operation that needs credentials names one."""

from enum import StrEnum


class Scope(StrEnum):
    """`resource:read`, `resource:write`, or `resource:moderate` for what others wrote."""

    ACCOUNT_WRITE = "account:write"
    SESSIONS_READ = "sessions:read"
    SESSIONS_WRITE = "sessions:write"
    PROFILE_READ = "profile:read"
    PROFILE_WRITE = "profile:write"
    ARTICLES_WRITE = "articles:write"
    ARTICLES_MODERATE = "articles:moderate"
    COMMENTS_WRITE = "comments:write"
    COMMENTS_MODERATE = "comments:moderate"
    REPORTS_WRITE = "reports:write"
    MODERATION_READ = "moderation:read"
    MODERATION_MODERATE = "moderation:moderate"
    RULES_MODERATE = "rules:moderate"
    APPEALS_WRITE = "appeals:write"
    # The inbox, and its live stream.
    NOTIFICATIONS_READ = "notifications:read"
    NOTIFICATIONS_WRITE = "notifications:write"
    # What one follows, and what one has read.
    SUBSCRIPTIONS_READ = "subscriptions:read"
    SUBSCRIPTIONS_WRITE = "subscriptions:write"
    WEBHOOKS_READ = "webhooks:read"
    WEBHOOKS_WRITE = "webhooks:write"
    VOTES_READ = "votes:read"
    VOTES_WRITE = "votes:write"


# What a session may be used for.
ALL_SCOPES = frozenset(Scope)
# Whatever others can see.
PUBLISHING = frozenset(
    {
        Scope.ARTICLES_WRITE,
        Scope.ARTICLES_MODERATE,
        Scope.COMMENTS_WRITE,
        Scope.COMMENTS_MODERATE,
        Scope.MODERATION_MODERATE,
        Scope.RULES_MODERATE,
        Scope.VOTES_WRITE,
    }
)
