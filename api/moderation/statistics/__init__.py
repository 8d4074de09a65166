"""Figures of moderation by day."""
