"""Problems of moderation."""

from api.kit.problems import Problem


class NotAModerator(Problem):
    """The person does not moderate, or not the whole forum."""

    status = 403
    code = "not_a_moderator"
    title = "Not a moderator"
    detail = "Only moderators may do this; ask an administrator of the forum."


class PinnedCommentNotShown(Problem):
    """The comment to pin is not shown under the article."""

    status = 409
    code = "pinned_comment_not_shown"
    title = "Comment to pin not shown"
    detail = "Pin a visible comment of the same article."


class OutsideYourScope(Problem):
    """The person moderates other articles or tags."""

    status = 403
    code = "outside_your_scope"
    title = "Outside your scope"
    detail = "You moderate other articles or tags; leave this to their moderators."
