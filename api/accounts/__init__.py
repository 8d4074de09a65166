"""Accounts: signing up, logging in and out, passwords, and the tokens of sessions.

It owns the tables `sessions` and `credentials`; it emits nothing of its own.
"""
