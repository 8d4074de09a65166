"""Votes on articles and comments, and the moment at which readers see their sums.

It owns `article_votes`, `comment_votes` and `score_changes`; it emits ScoresChanged.

A vote changes the sums of its target at once, without the thread's lock. What the thread shows
changes with its version, which the worker raises once for all votes of about a second.
"""
