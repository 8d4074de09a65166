"""What can be wrong with a comment or with a reply to one."""

from api.kit.problems import Problem


class CommentNotFound(Problem):
    """No comment that the client may see has this id."""

    status = 404
    code = "comment_not_found"
    title = "There is no such comment"
    detail = "No comment has this id, or it is no longer shown."


class ParentNotFound(Problem):
    """The comment to reply to does not exist."""

    status = 404
    code = "parent_not_found"
    title = "There is no comment to reply to"
    detail = "No comment has the id in parent_id. Leave it out to reply to the article."


class ParentElsewhere(Problem):
    """The comment to reply to is under another article."""

    status = 409
    code = "parent_elsewhere"
    title = "The comment to reply to is under another article"
    detail = "Send the reply to the article of the comment in parent_id."


class ParentGone(Problem):
    """The comment to reply to was taken back."""

    status = 409
    code = "parent_gone"
    title = "The comment to reply to was taken back"
    detail = "Reply to another comment, or to the article."


class ThreadTooDeep(Problem):
    """The reply would stand too deep."""

    status = 409
    code = "thread_too_deep"
    title = "The thread is too deep here"
    detail = "Replies nest 200 levels deep. Reply to a comment further up."


class ArticleLocked(Problem):
    """Nobody may reply any more."""

    status = 409
    code = "article_locked"
    title = "The discussion is closed"
    detail = "The article takes no more replies."


class NotYourComment(Problem):
    """Somebody else's comment."""

    status = 403
    code = "not_your_comment"
    title = "This comment is not yours"
    detail = "Only its author may change it; its author and moderators may take it back."


class CommentGone(Problem):
    """A comment that was taken back cannot change any more."""

    status = 409
    code = "comment_gone"
    title = "The comment was taken back"
    detail = "A comment that was taken back can no longer be changed."
