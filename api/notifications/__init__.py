"""Notifications: the inbox, what people follow, and what they have read.

Who is notified is decided in the transaction that publishes a text or decides about a person
(`recipients`). What can be seen now is decided when it is read (`inbox`). Emits NotificationsAdded.
"""
