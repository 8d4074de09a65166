"""Problems of revisions."""

from api.kit.problems import Problem


class RevisionsNotShown(Problem):
    """The forum does not show this person what a comment said before it was edited."""

    status = 403
    code = "revisions_not_shown"
    title = "Revisions not shown"
    detail = "The settings of the forum say who can read them; the author always can."
