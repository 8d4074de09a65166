"""Mentions: parsing, resolution, and the preview."""
