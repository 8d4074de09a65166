"""Screening: a verdict on new text before it is stored.

It owns `screening_rules`, `screening_settings` and `screening_decisions`.
"""
