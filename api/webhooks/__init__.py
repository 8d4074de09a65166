"""Webhooks: other systems are told what everybody can see, by the Standard Webhooks specification.

It owns the endpoints and the log of attempts, and emits no events.
"""
