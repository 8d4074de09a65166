"""Problems of sanctions."""

from api.kit.problems import Problem


class MayNotSanction(Problem):
    """The person has the same role as the moderator or a higher one, or is the moderator."""

    status = 403
    code = "may_not_sanction"
    title = "May not sanction this person"
    detail = "You can sanction only people whose role is below yours; ask an administrator."


class InvalidSanctionEnd(Problem):
    """The end is not a time to come."""

    status = 422
    code = "invalid_sanction_end"
    title = "Invalid end of the sanction"
    detail = "Send an `ends_at` in the future, at most ten years from now."


class AlreadyRestricted(Problem):
    """A sanction of the same kind is active."""

    status = 409
    code = "already_restricted"
    title = "Already restricted"
    detail = "Lift the active sanction of this kind first; GET the person's sanctions lists it."


class SanctionNotFound(Problem):
    """The person has no such sanction."""

    status = 404
    code = "sanction_not_found"
    title = "Sanction not found"
    detail = "GET the person's sanctions lists their ids."


class SanctionEnded(Problem):
    """The sanction was lifted before, or its time is over."""

    status = 409
    code = "sanction_ended"
    title = "Sanction ended"
    detail = "The sanction is not active any more; no other request is needed."
