"""Problems of mail."""

from api.kit.problems import Problem


class UnsubscribeLinkInvalid(Problem):
    """The token of an unsubscribe link was not made by this service."""

    status = 404
    code = "unsubscribe_link_invalid"
    title = "Link not valid"
    detail = "Use the whole link of the mail, or change the notification settings."
