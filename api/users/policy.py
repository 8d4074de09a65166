"""Which names a member may take. Pure: names in, verdict out."""

from api.users.errors import DisplayNameReserved, HandleReserved
from api.users.handles import is_reserved_handle, looks_like_staff


def require_free_names(handle: str | None, display_name: str | None) -> None:
    """Raise HandleReserved or DisplayNameReserved for what would look like the service or staff.

    A name that is None is not taken. Staff may take any name; so may authors that an import brings.
    """
    if handle is not None and (is_reserved_handle(handle) or looks_like_staff(handle)):
        raise HandleReserved
    if display_name is not None and looks_like_staff(display_name):
        raise DisplayNameReserved
