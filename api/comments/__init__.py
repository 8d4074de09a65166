"""Comments: the tree of replies under an article, and who is mentioned in them."""
