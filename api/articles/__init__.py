"""Articles: what is discussed, and the version that orders all that happens under each.

It owns `articles` and `article_tags`; it emits ArticleCreated, ArticleEdited and ArticleDeleted.
"""
