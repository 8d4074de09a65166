"""The texts that a comment had before it was edited."""
