"""Auth: who is asking, what their credential covers, and how often they may ask.

It owns no table and emits nothing: `accounts` issues the credentials that it looks up.
"""
