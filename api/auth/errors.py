"""Problems that any operation can answer because of who asks, or how often."""

from api.kit.problems import Problem


class RateLimited(Problem):
    """Too much in too short a time."""

    status = 429
    code = "rate_limited"
    title = "Too many requests"
    detail = "Wait as many seconds as Retry-After says."
    headers = (("Retry-After", "1"),)
