"""What can be wrong with a person or their profile."""

from api.kit.problems import Problem


class UserNotFound(Problem):
    """Nobody has or had this handle."""

    status = 404
    code = "user_not_found"
    title = "There is no such person"
    detail = "Nobody has or had this handle."


class HandleTaken(Problem):
    """The handle, or one that looks like it, is or was somebody's."""

    status = 409
    code = "handle_taken"
    title = "The handle is taken"
    detail = "Choose another: this one, or one that looks like it, is or was somebody's."


class DisplayNameReserved(Problem):
    """The display name would look like staff."""

    status = 409
    code = "display_name_reserved"
    title = "The display name is reserved"
    detail = "Choose another: readers could take this one for staff of the site."


class HandleReserved(Problem):
    """The handle would look like the service speaking."""

    status = 409
    code = "handle_reserved"
    title = "The handle is reserved"
    detail = "Choose another: this one could be taken for the service itself."
