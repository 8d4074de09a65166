"""What waits for a moderator: one open item per comment."""
