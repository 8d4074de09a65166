"""The review queue, as moderators see it."""
