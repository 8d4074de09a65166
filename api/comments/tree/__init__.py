"""The comment tree: its statement, cursors, assembly and cached reads."""
