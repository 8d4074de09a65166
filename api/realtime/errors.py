"""Problems of streams."""

from api.kit.problems import Problem


class StreamsExhausted(Problem):
    """The process has as many streams open as it may."""

    status = 503
    code = "streams_exhausted"
    title = "Too many streams on this server"
    detail = (
        "Try again after the seconds in Retry-After, and read changes without a stream until then."
    )
    headers = (("Retry-After", "5"),)


class TooManyStreams(Problem):
    """The person or the address has as many streams open as one may have."""

    status = 429
    code = "too_many_streams"
    title = "Too many streams open"
    detail = "Close a stream that is not needed any more, then try again."
    headers = (("Retry-After", "5"),)
