"""Auth: logins and their tokens, and who is asking. It owns the table `sessions`; it emits nothing.

Who a person is belongs to `users`; auth only reads their row.
"""
