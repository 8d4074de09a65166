"""Ids are made by the application, so that rows can refer to each other before they are stored."""

import itertools
import secrets
from uuid import UUID

from uuid_utils import compat

_PROCESS = secrets.token_hex(8).encode()
_requests = itertools.count(1)


def make_id() -> UUID:
    """Return a UUIDv7 (RFC 9562): its order is the order of making, which keeps indexes dense."""
    return compat.uuid7()


def make_request_id() -> bytes:
    """Return an id that no other request has, also of another process; every response has one."""
    return b"%b-%x" % (_PROCESS, next(_requests))
