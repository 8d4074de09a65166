"""Moderators of single articles and tags, appointed by administrators."""
