"""Comments: the tree of replies under an article, and who is mentioned in them.

It owns `comments` and `comment_mentions`; it emits CommentCreated, CommentEdited, CommentDeleted,
ThreadImported and NamesRefreshed.
"""
