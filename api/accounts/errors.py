"""Problems of sessions and passwords."""

from api.kit.problems import Problem


class InvalidCredentials(Problem):
    """The login and the password do not match."""

    status = 401
    code = "invalid_credentials"
    title = "Wrong login or password"
    detail = (
        "Check both; the login is the handle or the e-mail address. After many failed attempts, "
        "wait five minutes."
    )
    headers = (("WWW-Authenticate", "Bearer"),)


class InvalidRefreshToken(Problem):
    """The refresh token is unknown, already used, expired or revoked."""

    status = 401
    code = "invalid_refresh_token"
    title = "Invalid refresh token"
    detail = "Log in again with POST /v1/sessions."
    headers = (("WWW-Authenticate", "Bearer"),)


class SessionNotFound(Problem):
    """The person has no such session."""

    status = 404
    code = "session_not_found"
    title = "Session not found"
    detail = "GET /v1/sessions lists your sessions."


class WrongPassword(Problem):
    """The current password does not match."""

    status = 403
    code = "wrong_password"
    title = "Wrong password"
    detail = "Send the password that you log in with as current_password."
