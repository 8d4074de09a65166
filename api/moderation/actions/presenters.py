"""What a moderator gets back of each target of a decision."""

from collections.abc import Iterable

from api.kit.http.conditional import make_revision_etags
from api.moderation.actions.schemas import ActionResult, ActionResults, TargetProblem
from api.moderation.actions.service import Outcome


def to_results(epoch: str, outcomes: Iterable[Outcome]) -> ActionResults:
    """Return the results of a decision, in the order of its targets."""
    make_etag = make_revision_etags(epoch, "comment")
    results = []
    for outcome in outcomes:
        decision, problem = outcome.decision, outcome.problem
        results.append(
            ActionResult(
                comment_id=outcome.comment_id,
                is_done=problem is None,
                state=decision and decision.after,
                etag=decision and make_etag(str(decision.comment_id), decision.revision),
                log_id=outcome.log_id,
                problem=problem
                and TargetProblem(
                    status=problem.status,
                    code=problem.code,
                    title=problem.title,
                    detail=problem.detail,
                ),
            )
        )
    return ActionResults(data=results)
