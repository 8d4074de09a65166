"""Moderation: reports, the review queue, decisions and their log.

It owns `reports`, `review_items` and `moderation_log`. It changes what readers see through
`api.comments.lifecycle` only.
"""
