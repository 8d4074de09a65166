"""Comments: the tree of replies under an article, and who is mentioned in them.

It owns `comments` and `comment_mentions`; `lifecycle` has the states of a comment. It emits
CommentCreated, CommentHeld, CommentEdited, CommentsShown, CommentsHidden, CommentsRemoved,
CommentDeleted, ThreadImported and NamesRefreshed.
"""
