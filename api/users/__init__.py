"""Users: people, their profiles, and the handles that lead to them.

It owns `users`, `handles` and `user_restrictions`; it emits UserRegistered and ProfileChanged.
"""
