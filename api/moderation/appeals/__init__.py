"""Decisions about a person, and their appeals: one per decision, decided by another moderator."""
