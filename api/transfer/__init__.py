"""Transfer: imported threads, and the demo. It owns no table; it emits ThreadImported.

People, articles and comments are stored by their own domains, and the event is that of comments.
"""
