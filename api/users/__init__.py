"""Users: people, their profiles, and the handles that lead to them.

It owns `users` and `handles`; it emits UserRegistered and ProfileChanged.
"""
