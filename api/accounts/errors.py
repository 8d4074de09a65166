"""Problems of sessions and passwords."""

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


class WrongPassword(Problem):
    """The current password does not match."""

    status = 403
    code = "wrong_password"
    title = "The current password is wrong"
    detail = "Send your present password as current_password."
