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


class OwnComment(Problem):
    """Nobody reports what they wrote themselves."""

    status = 403
    code = "own_comment"
    title = "Own comment"
    detail = "You can report only the comments of other people; you can delete your own."


class AlreadyReported(Problem):
    """The person has reported this text before."""

    status = 409
    code = "already_reported"
    title = "Already reported"
    detail = "Your report of this text has been received; you can report it again after an edit."


class ReviewItemNotFound(Problem):
    """No comment waits under this id."""

    status = 404
    code = "review_item_not_found"
    title = "Review item not found"
    detail = "Get the queue again: no item has this id, or it has been decided."


class ActionNotPossible(Problem):
    """The comment is in a state that the action does not apply to."""

    status = 409
    code = "action_not_possible"
    title = "Action not possible"
    detail = "Get the comment again: the action does not apply to the state that it is in."


class NothingToUndo(Problem):
    """No decision about the comment can be undone."""

    status = 409
    code = "nothing_to_undo"
    title = "Nothing to undo"
    detail = "Only the latest decision can be undone, while the comment has not changed since."


class PublicLogDisabled(Problem):
    """The forum does not publish its moderation log."""

    status = 404
    code = "public_log_disabled"
    title = "Public log disabled"
    detail = "This forum does not publish its moderation log."


class InvalidPeriod(Problem):
    """The days of a period are in the wrong order, or too many."""

    status = 422
    code = "invalid_period"
    title = "Invalid period"
    detail = "Send two days since 2000, the first not after the last, at most 92 days in all."


class DryRunNotFound(Problem):
    """No dry run has this id."""

    status = 404
    code = "dry_run_not_found"
    title = "Dry run not found"
    detail = "Check the id: no dry run has it."
