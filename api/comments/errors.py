"""Problems of comments and of replies to them."""

from api.kit.problems import Problem


class CommentNotFound(Problem):
    """No comment that the client may see has this id."""

    status = 404
    code = "comment_not_found"
    title = "Comment not found"
    detail = "Check the id: no comment has it, or the comment is no longer shown."


class ParentNotFound(Problem):
    """The comment to reply to does not exist."""

    status = 404
    code = "parent_not_found"
    title = "Parent comment not found"
    detail = "Check parent_id, or leave it out to reply to the article."


class ParentElsewhere(Problem):
    """The comment to reply to is under another article."""

    status = 409
    code = "parent_elsewhere"
    title = "Parent comment belongs to another article"
    detail = "Send the reply to the article of the comment in parent_id."


class ParentGone(Problem):
    """The comment to reply to is no longer shown."""

    status = 409
    code = "parent_gone"
    title = "Parent comment no longer shown"
    detail = "Reply to another comment, or to the article: it was deleted, removed or hidden."


class ThreadTooDeep(Problem):
    """The reply would be nested too deeply."""

    status = 409
    code = "thread_too_deep"
    title = "Thread too deep"
    detail = "Reply to a comment further up: a thread has at most 200 levels."


class ArticleLocked(Problem):
    """The article is locked."""

    status = 409
    code = "article_locked"
    title = "Discussion closed"
    detail = "The article accepts no more replies."


class ArticleClosed(Problem):
    """The time at which the article closes is over."""

    status = 409
    code = "article_closed"
    title = "Discussion ended"
    detail = "The time for replies to the article is over; closes_at of the article says when."


class MembersOnly(Problem):
    """The article takes no replies of newcomers."""

    status = 403
    code = "members_only"
    title = "Members only"
    detail = "Newcomers cannot reply to this article yet."


class SlowMode(Problem):
    """The person's previous comment under the article is too recent."""

    status = 429
    code = "slow_mode"
    title = "Slow mode"
    detail = "Wait for the number of seconds in Retry-After before you reply here again."
    headers = (("Retry-After", "1"),)


class NotYourComment(Problem):
    """The comment is another person's."""

    status = 403
    code = "not_your_comment"
    title = "Not your comment"
    detail = "Only its author may edit it; its author and moderators may delete it."


class CommentGone(Problem):
    """The comment is no longer shown, so it cannot be changed."""

    status = 409
    code = "comment_gone"
    title = "Comment no longer shown"
    detail = "It was deleted, removed or hidden: it can no longer be changed or voted on."


class ClaimedByAnother(Problem):
    """Another moderator looks at the comment."""

    status = 409
    code = "claimed_by_another"
    title = "Claimed by another moderator"
    detail = "Take another item, or wait until the claim ends."
