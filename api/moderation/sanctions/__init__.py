"""Sanctions: notes, warnings, silences, bans, shadow bans and pre-moderation of one person."""
