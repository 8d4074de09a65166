"""THE table: what follows from each event."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from api.articles import reactions as articles
from api.articles.changes import PublicEvent
from api.articles.events import (
    ArticleCreated,
    ArticleDeleted,
    ArticleEdited,
    ArticleFlagged,
    ArticleModerated,
    ArticleRemoved,
    ArticleRestored,
)
from api.comments import reactions as comments
from api.comments.events import (
    CommentCreated,
    CommentDeleted,
    CommentEdited,
    CommentHeld,
    CommentsHidden,
    CommentsRemoved,
    CommentsShown,
    NamesRefreshed,
    RemovedByDelete,
    ReviewRequested,
    ThreadImported,
)
from api.kit.db.events import ThreadEvent
from api.kit.db.unit_of_work import UnitOfWork
from api.kit.effects import (
    BatchConsumer,
    Consumer,
    Effect,
    EffectTable,
    FinalReaction,
    TargetedConsumer,
)
from api.mail import reactions as mail
from api.mail.events import DigestsDue
from api.moderation import reactions as moderation
from api.moderation.appeals.events import AppealDecided
from api.moderation.events import CommentReported, ModerationDecided
from api.moderation.rules import service as rules
from api.moderation.rules.events import DryRunRequested
from api.moderation.sanctions.events import SanctionChanged
from api.notifications.events import FollowersLeft, NotificationsAdded
from api.notifications.reactions import notify, notify_followers
from api.push import reactions as push
from api.realtime import reactions as realtime
from api.users.events import ProfileChanged, UserRegistered
from api.votes.events import ScoresChanged
from api.webhooks import reactions as webhooks
from api.webhooks.service import MAX_WEBHOOKS

Shown = TypeVar("Shown", bound=PublicEvent)

_ARTICLE_CACHE = BatchConsumer(
    name="article_cache", event=ThreadEvent, deliver=articles.publish_article_versions
)
_REFRESHED_NAMES = Consumer(
    name="refreshed_names",
    event=ProfileChanged,
    deliver=comments.refresh_names,
    # One transaction for each thread that shows the person.
    timeout=900.0,
)
_WEBHOOKS = TargetedConsumer(
    name="webhooks",
    event=PublicEvent,
    find_targets=webhooks.find_targets,
    deliver=webhooks.deliver,
    # As many as all webhooks can have under way: those that hang leave the others their own.
    concurrency=2 * MAX_WEBHOOKS,
    per_target=2,
    # An event makes up to three messages, each with 15 seconds.
    timeout=60.0,
)
_DRY_RUNS = Consumer(
    name="dry_runs",
    event=DryRunRequested,
    deliver=rules.run_dry_run,
    concurrency=1,
    # Ten thousand comments by five hundred patterns.
    timeout=900.0,
)
_FOLLOWERS = Consumer(name="followers", event=FollowersLeft, deliver=notify_followers)
_MAILS = TargetedConsumer(
    name="mails",
    event=NotificationsAdded,
    find_targets=mail.find_mailed_notifications,
    deliver=mail.mail_notification,
    # Each has a connection to the mail server.
    concurrency=8,
    per_target=1,
    timeout=60.0,
)
_PUSHES = TargetedConsumer(
    name="pushes",
    event=NotificationsAdded,
    find_targets=push.find_subscriptions,
    deliver=push.push_notifications,
    # A message has five seconds, and an endpoint that hangs keeps one of these.
    concurrency=64,
    per_target=1,
)
_DIGESTS = TargetedConsumer(
    name="digests",
    event=DigestsDue,
    find_targets=mail.find_digested_people,
    deliver=mail.mail_digest,
    concurrency=4,
    per_target=1,
    timeout=60.0,
)


def _publish_version(
    event: type[Shown],
    *in_transaction: Callable[[UnitOfWork, Shown], Awaitable[None]],
    at_end: tuple[FinalReaction, ...] = (),
) -> Effect[Shown]:
    return Effect(
        event=event,
        in_transaction=in_transaction,
        at_end=at_end,
        after_commit=(articles.publish_article_version,),
        by_worker=(_ARTICLE_CACHE, _WEBHOOKS),
    )


EFFECTS = EffectTable(
    (
        Effect(event=UserRegistered),
        # A name is shown in every tree in which the user wrote or is mentioned.
        Effect(event=ProfileChanged, by_worker=(_REFRESHED_NAMES,)),
        Effect(event=SanctionChanged, at_end=(notify,)),
        Effect(event=AppealDecided, at_end=(notify,)),
        _publish_version(ArticleCreated, at_end=(notify,)),
        _publish_version(ArticleEdited),
        _publish_version(ArticleDeleted, moderation.close_items_of_article),
        _publish_version(ArticleRemoved, moderation.close_items_of_article),
        _publish_version(ArticleRestored, moderation.reopen_items_of_article),
        Effect(event=ArticleFlagged, in_transaction=(moderation.record_flag,)),
        Effect(event=ArticleModerated, in_transaction=(moderation.record_article,)),
        _publish_version(CommentCreated, at_end=(notify,)),
        _publish_version(CommentEdited, at_end=(notify,)),
        Effect(event=ReviewRequested, in_transaction=(moderation.open_requested,)),
        Effect(event=DryRunRequested, by_worker=(_DRY_RUNS,)),
        _publish_version(CommentHeld),
        _publish_version(CommentsShown, at_end=(notify,)),
        _publish_version(CommentsHidden),
        _publish_version(CommentsRemoved),
        _publish_version(CommentDeleted, moderation.close_items),
        Effect(event=RemovedByDelete, in_transaction=(moderation.record_removal,)),
        Effect(event=CommentReported),
        Effect(event=ModerationDecided, at_end=(notify,)),
        _publish_version(ThreadImported),
        _publish_version(NamesRefreshed),
        _publish_version(ScoresChanged),
        Effect(event=FollowersLeft, by_worker=(_FOLLOWERS,)),
        Effect(
            event=NotificationsAdded,
            after_commit=(realtime.wake_inboxes,),
            by_worker=(_MAILS, _PUSHES),
        ),
        Effect(event=DigestsDue, by_worker=(_DIGESTS,)),
    )
)
