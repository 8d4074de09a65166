"""Rows of the review queue as responses."""

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import RowMapping

from api.comments.schemas import ArticleLink
from api.kit.text.excerpts import make_excerpt
from api.moderation.log.presenters import find_person, to_log_entry
from api.moderation.queue.queries import MAX_ANCESTORS, Surroundings
from api.moderation.queue.schemas import (
    AncestorRead,
    AuthorRecord,
    ClaimRead,
    CommentModeration,
    CommentReport,
    FindingRead,
    QueueItem,
    ReviewedComment,
    ReviewItemRead,
)
from models import CommentState, ReportResolution

MakeEtag = Callable[[str, int], str]


def to_queue_item(row: RowMapping, around: Surroundings, make_etag: MakeEtag) -> QueueItem:
    """Return an item of the queue."""
    return QueueItem(
        **_to_item(row),
        comment=_to_comment(row, make_etag),
        **_describe(row, around),
    )


def to_comment_moderation(
    row: RowMapping, around: Surroundings, log: Iterable[RowMapping], make_etag: MakeEtag
) -> CommentModeration:
    """Return what moderators see of one comment."""
    return CommentModeration(
        comment=_to_comment(row, make_etag),
        html=row["html"],
        item=None if row["item_id"] is None else ReviewItemRead(**_to_item(row)),
        log=[to_log_entry(entry) for entry in log],
        **_describe(row, around),
    )


def _to_item(row: RowMapping) -> dict[str, Any]:
    claimer = find_person(row, "claimer")
    return {
        "id": row["item_id"],
        "source": row["item_source"],
        "severity": row["item_severity"],
        "report_count": row["item_report_count"],
        "is_escalated": row["item_is_escalated"],
        "claim": claimer and ClaimRead(by=claimer, until=row["item_claimed_until"]),
        "opened_at": row["item_opened_at"],
    }


def _to_comment(row: RowMapping, make_etag: MakeEtag) -> ReviewedComment:
    return ReviewedComment(
        id=row["id"],
        article=ArticleLink(id=row["article_id"], slug=row["slug"], title=row["title"]),
        parent_id=row["parent_id"],
        depth=row["depth"],
        author=find_person(row, "author"),
        body=row["body"],
        state=row["state"],
        etag=make_etag(str(row["id"]), row["revision"]),
        created_at=row["created_at"],
        edited_at=row["edited_at"],
    )


def _describe(row: RowMapping, around: Surroundings) -> dict[str, Any]:
    above = (around.ancestors[one] for one in row["ancestor_ids"][-MAX_ANCESTORS:])
    return {
        "author_record": _to_record(around.records.get(row["author_id"])),
        "ancestors": [_to_ancestor(one) for one in above],
        "reports": [_to_report(one) for one in around.reports.get(row["id"], [])],
        "findings": [_to_finding(one) for one in around.findings.get(row["id"], [])],
    }


def _to_record(counts: dict[str, int] | None) -> AuthorRecord | None:
    if counts is None:
        return None
    return AuthorRecord(
        published=counts["published"],
        held=counts.get(CommentState.PENDING, 0),
        hidden=counts.get(CommentState.HIDDEN, 0),
        removed=counts.get(CommentState.REMOVED, 0),
        sanctions=counts["sanctions"],
    )


def _to_ancestor(row: RowMapping) -> AncestorRead:
    return AncestorRead(
        id=row["id"],
        state=row["state"],
        author=find_person(row, "author"),
        excerpt=make_excerpt(row["html"]),
        created_at=row["created_at"],
    )


def _to_report(row: RowMapping) -> CommentReport:
    reporter = find_person(row, "reporter")
    resolution: ReportResolution | None = row["resolution"]
    return CommentReport.model_validate(
        {
            "id": row["id"],
            "reporter": reporter,
            "revision": row["revision"],
            "reason": row["reason"],
            "note": row["note"],
            "weight": row["weight"],
            "state": "open" if resolution is None else resolution,
            "created_at": row["created_at"],
        }
    )


def _to_finding(row: RowMapping) -> FindingRead:
    return FindingRead(
        revision=row["revision"],
        outcome=row["outcome"],
        phase=row["phase"],
        rule_id=row["rule_id"],
        rule=row["rule"],
        start=row["span_start"],
        end=row["span_end"],
        created_at=row["created_at"],
    )
