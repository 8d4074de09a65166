"""Notifications: the inbox, what people follow, and what they have read."""
