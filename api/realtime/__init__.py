"""Live updates: server-sent events of articles and of inboxes, for each client that listens.

`changes/` is delta sync, for clients that ask for what they missed. What both tell is read from
rows that are there anyway (events, notifications), so this owns only the tickets with which
browsers open streams. It emits nothing.
"""
