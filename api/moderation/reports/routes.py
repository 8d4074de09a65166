"""HTTP for reports."""

from typing import Annotated

from api.articles.errors import ArticleNotFound
from api.auth.actor import Actor
from api.auth.dependencies import IdempotentUow, requires
from api.auth.quotas import Action, limit
from api.auth.scopes import Scope
from api.comments.errors import CommentGone, CommentNotFound
from api.comments.routes import CommentTurn
from api.comments.schemas import CommentId
from api.kit.http.problem_responses import problems
from api.kit.http.routing import HAS_NO_ADDRESS, make_router
from api.moderation.errors import AlreadyReported, OwnComment
from api.moderation.reports import service
from api.moderation.reports.schemas import ReportCreate, ReportRead

router = make_router("moderation")

Reporter = Annotated[Actor, requires(Scope.REPORTS_WRITE)]


@router.post(
    "/comments/{comment_id}/reports",
    status_code=201,
    responses=problems(ArticleNotFound, CommentNotFound, CommentGone, OwnComment, AlreadyReported),
    dependencies=[limit(Action.REPORT), CommentTurn],
    openapi_extra=HAS_NO_ADDRESS,
)
async def create_report(
    comment_id: CommentId, body: ReportCreate, actor: Reporter, uow: IdempotentUow
) -> ReportRead:
    """Report a comment.

    Once per text: after an edit it can be reported again. Only moderators see who reported it.
    """
    report = await service.create_report(uow, actor, comment_id, body)
    return ReportRead(
        id=report.id,
        comment_id=report.comment_id,
        reason=report.reason,
        note=report.note,
        state="open",
        created_at=report.created_at,
    )
