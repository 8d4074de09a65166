"""Accounts: signing up, logging in and out, and passwords.

It owns the table `sessions`; it emits nothing of its own.
"""
