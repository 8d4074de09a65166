"""Problems of screening."""

from typing import Any, ClassVar

from api.kit.problems import Problem


class CommentRejected(Problem):
    """Screening does not let the text of a comment through."""

    status = 422
    code = "comment_rejected"
    title = "Comment rejected"
    detail = "It does not follow the rules of this forum: change it, or ask its moderators."
    # Which part of screening decided; not which rule, which would tell how to get around it.
    example: ClassVar[dict[str, Any]] = {"phase": "words"}


class ArticleRejected(Problem):
    """Screening does not let the title or the text of an article through, or would hold it."""

    status = 422
    code = "article_rejected"
    title = "Article rejected"
    # Without the phase: it would tell a person of a shadow ban.
    detail = "It does not follow the rules of this forum: change it, or ask its moderators."


class RuleNotFound(Problem):
    """No rule has this id."""

    status = 404
    code = "rule_not_found"
    title = "Rule not found"
    detail = "Check the id: no rule has it, or the rule was deleted."


class RuleExists(Problem):
    """Another rule has the same kind and value."""

    status = 409
    code = "rule_exists"
    title = "Rule exists"
    detail = "Change the rule that has this kind and value."


class TooManyRules(Problem):
    """The forum has as many rules as it can have."""

    status = 409
    code = "too_many_rules"
    title = "Too many rules"
    detail = "Delete rules first: a forum has at most 20,000."
