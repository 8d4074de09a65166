"""Problems of appeals."""

from api.kit.problems import Problem


class DecisionNotFound(Problem):
    """The person was told of no such decision."""

    status = 404
    code = "decision_not_found"
    title = "Decision not found"
    detail = "GET /v1/me/decisions lists the decisions that you can appeal against."


class AlreadyAppealed(Problem):
    """There is one appeal per decision."""

    status = 409
    code = "already_appealed"
    title = "Already appealed"
    detail = "You can appeal once against a decision; GET /v1/me/decisions shows your appeal."


class DecisionUndone(Problem):
    """The decision does not apply any more."""

    status = 409
    code = "decision_undone"
    title = "Decision undone"
    detail = "The decision was undone before; an appeal against it is not needed."


class AppealNotFound(Problem):
    """No appeal has this id."""

    status = 404
    code = "appeal_not_found"
    title = "Appeal not found"
    detail = "GET /v1/appeals lists the appeals."


class AppealClosed(Problem):
    """Another moderator decided the appeal first."""

    status = 409
    code = "appeal_closed"
    title = "Appeal closed"
    detail = "The appeal has been decided; get it again to see how."


class MayNotDecide(Problem):
    """The moderator made the decision, or appeals against it."""

    status = 403
    code = "may_not_decide"
    title = "May not decide this appeal"
    detail = "Leave it to a moderator who neither made the decision nor is affected by it."
