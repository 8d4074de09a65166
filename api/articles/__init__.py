"""Articles: what is discussed, and the version that orders all that happens under each.

It owns `articles` and `article_tags`; `lifecycle` has the states of an article. It emits
ArticleCreated, ArticleEdited, ArticleDeleted, ArticleRemoved and ArticleRestored.
"""
