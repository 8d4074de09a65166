"""What can be wrong with a person or their profile."""

from api.kit.problems import Problem


class UserNotFound(Problem):
    """Nobody has or had this handle."""

    status = 404
    code = "user_not_found"
    title = "Person not found"
    detail = "Check the handle: nobody has or had it."


class HandleTaken(Problem):
    """The handle, or one that looks like it, belongs or belonged to a person."""

    status = 409
    code = "handle_taken"
    title = "Handle taken"
    detail = "Choose another handle. This one, or one that looks like it, is or was in use."


class DisplayNameReserved(Problem):
    """The display name would look like staff."""

    status = 409
    code = "display_name_reserved"
    title = "Display name reserved"
    detail = "Choose another display name. This one looks like staff of the site."


class HandleReserved(Problem):
    """The handle would look like the service speaking."""

    status = 409
    code = "handle_reserved"
    title = "Handle reserved"
    detail = "Choose another handle. This one looks like the site or its staff."
