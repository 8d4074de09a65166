"""What can be wrong with a login, or with who asks."""

from api.kit.problems import Problem


class InvalidCredentials(Problem):
    """The login and the password do not belong together."""

    status = 401
    code = "invalid_credentials"
    title = "The login or the password is wrong"
    detail = "Check both. The login is the handle or the e-mail address."
    headers = (("WWW-Authenticate", "Bearer"),)


class InvalidRefreshToken(Problem):
    """The refresh token is unknown, used up, expired or revoked."""

    status = 401
    code = "invalid_refresh_token"
    title = "The refresh token is no longer good"
    detail = "Log in again with POST /v1/sessions."
    headers = (("WWW-Authenticate", "Bearer"),)


class SessionNotFound(Problem):
    """No such login of this person."""

    status = 404
    code = "session_not_found"
    title = "There is no such login"
    detail = "GET /v1/sessions lists yours."


class RateLimited(Problem):
    """Too much in too short a time."""

    status = 429
    code = "rate_limited"
    title = "Too many requests"
    detail = "Wait as many seconds as Retry-After says."
    headers = (("Retry-After", "1"),)
