"""The log of what staff did: one row per decision, which nothing changes."""
