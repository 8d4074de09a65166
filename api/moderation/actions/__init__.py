"""Decisions of moderators about comments, many in one request."""
