"""Comments: the tree of replies under an article, and who is mentioned in them.

It owns `comments`, `comment_revisions`, `comment_mentions` and `slow_mode_turns`; `lifecycle` has
the states of a comment. It emits CommentCreated, CommentHeld, CommentEdited, CommentsShown,
CommentsHidden, CommentsRemoved, CommentDeleted, ThreadImported and NamesRefreshed.
"""
