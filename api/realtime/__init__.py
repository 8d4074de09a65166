"""Live updates: server-sent events of articles and of inboxes, for each client that listens.

What a stream tells is read from rows that are there anyway (events, notifications), so it owns only
the tickets with which browsers open streams. It emits nothing.
"""
