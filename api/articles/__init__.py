"""Articles: what is discussed, and the version that orders all that happens under each.

It owns `articles`, `article_tags` and `tag_settings`; `lifecycle` has the states of an article. It
emits ArticleCreated, ArticleEdited, ArticleDeleted, ArticleRemoved,
ArticleRestored, ArticleModerated and ArticleFlagged.
"""
