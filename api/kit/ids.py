"""Ids are made by the application, so that rows can refer to each other before they are stored."""

from uuid import UUID

import uuid_utils
from uuid_utils import compat


def make_id() -> UUID:
    """Return a UUIDv7 (RFC 9562): its order is the order of making, which keeps indexes dense."""
    return compat.uuid7()


def make_request_id() -> str:
    """Return a UUIDv7 as text, without a UUID object on the way: every answer carries one."""
    return str(uuid_utils.uuid7())
