"""Problems of moderation."""

from api.kit.problems import Problem


class NotAModerator(Problem):
    """The person does not moderate, or not the whole forum."""

    status = 403
    code = "not_a_moderator"
    title = "Not a moderator"
    detail = "Only moderators may do this; ask an administrator of the forum."


class OutsideYourScope(Problem):
    """The person moderates other articles or tags."""

    status = 403
    code = "outside_your_scope"
    title = "Outside your scope"
    detail = "You moderate other articles or tags; leave this to their moderators."
