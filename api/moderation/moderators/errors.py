"""Problems of moderators."""

from api.kit.problems import Problem


class NotAnAdministrator(Problem):
    """Only administrators appoint moderators."""

    status = 403
    code = "not_an_administrator"
    title = "Not an administrator"
    detail = "Only administrators may do this; ask one of them."


class ModeratorNotFound(Problem):
    """The person moderates no single article or tag."""

    status = 404
    code = "moderator_not_found"
    title = "Moderator not found"
    detail = "GET /v1/moderators lists who moderates articles and tags."
