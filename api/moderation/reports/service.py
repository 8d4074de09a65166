"""Report comments."""

from uuid import UUID

from api.auth.actor import Actor, kind_of
from api.comments import lifecycle
from api.comments import queries as comments
from api.comments.errors import CommentNotFound
from api.comments.lifecycle import LockedThread
from api.comments.service import get_comment
from api.kit.db.ids import make_id
from api.kit.db.unit_of_work import UnitOfWork
from api.moderation.events import CommentReported, ModerationDecided
from api.moderation.items import queries as items
from api.moderation.log import queries as log
from api.moderation.reports import queries
from api.moderation.reports.policy import require_may_report, was_approved, weigh_report
from api.moderation.reports.schemas import ReportCreate
from models import Comment, CommentState, LogAction, ModerationLogEntry, Report, ReviewSource


async def create_report(
    uow: UnitOfWork, actor: Actor, comment_id: UUID, body: ReportCreate
) -> Report:
    """Report a comment, which then waits for a moderator.

    It is hidden meanwhile when its open reports weigh as much as the forum's threshold, unless a
    moderator approved this very text. Raises CommentNotFound, CommentGone, OwnComment,
    AlreadyReported or ArticleNotFound.
    """
    article_id = await comments.find_article_of(uow.session, comment_id)
    if article_id is None:
        raise CommentNotFound
    # The thread's lock first, as whoever changes states takes it: of many reports at once exactly
    # one reaches the threshold.
    thread = await lifecycle.lock_comments(uow, article_id, [comment_id])
    comment = await get_comment(uow.session, comment_id, actor)
    earlier = await queries.find_latest_report(uow.session, comment_id, actor.id)
    require_may_report(actor, comment, earlier.created_at if earlier else None)
    upheld, decided = await queries.find_record(uow.session, actor.id)
    report = Report(
        id=make_id(),
        comment_id=comment_id,
        revision=comment.revision,
        reporter_id=actor.id,
        reason=body.reason,
        note=body.note,
        weight=weigh_report(kind_of(actor, uow.now), upheld=upheld, decided=decided),
        created_at=uow.now,
    )
    uow.session.add(report)
    await uow.session.flush()
    await items.open_items(
        uow.session,
        [comment_id],
        article_id=article_id,
        source=ReviewSource.REPORTED,
        now=uow.now,
    )
    await items.weigh_items(uow.session, [comment_id])
    uow.emit(CommentReported(report_id=report.id, comment_id=comment_id, article_id=article_id))
    await _hide_if_due(uow, thread, comment, report)
    return report


async def _hide_if_due(
    uow: UnitOfWork, thread: LockedThread, comment: Comment, report: Report
) -> None:
    """Hide a comment whose open reports reach the threshold, until a moderator has looked at it."""
    threshold = await queries.find_threshold(uow.session)
    if threshold is None or await queries.sum_open_weights(uow.session, comment.id) < threshold:
        return
    newest = (await log.find_newest(uow.session, [comment.id])).get(comment.id)
    if was_approved(comment, newest):
        return
    before = comment.state
    item = (await items.lock_open_items(uow.session, [comment.id]))[comment.id]
    await lifecycle.change_states(uow, thread, CommentState.HIDDEN)
    log_entry = ModerationLogEntry(
        id=make_id(),
        action=LogAction.HIDE,
        comment_id=comment.id,
        article_id=thread.article_id,
        user_id=comment.author_id,
        reason=report.reason,
        before={"state": before, "item_id": str(item.id)},
        after={"state": CommentState.HIDDEN, "revision": report.revision + 1},
        created_at=uow.now,
    )
    await log.add_entries(uow.session, [log_entry])
    if comment.author_id is not None:
        uow.emit(ModerationDecided(log_id=log_entry.id, user_id=comment.author_id))
