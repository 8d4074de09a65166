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
