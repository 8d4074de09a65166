"""Reports: what people say is wrong with a comment."""
