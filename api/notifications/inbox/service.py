"""Read the inbox, and mark what was read."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from api.kit.db.unit_of_work import UnitOfWork
from api.kit.http.pagination import PageInfo, decode_cursor, encode_cursor
from api.kit.signing import Signer
from api.notifications.inbox import queries
from api.notifications.inbox.queries import MAX_MARKED, GroupRow, Marked
from api.notifications.inbox.schemas import (
    MAX_COUNTED,
    InboxOrder,
    MarkedRead,
    NotificationsMark,
    UnreadCount,
)
from models import User


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxParams:
    """Which notifications are listed, in which order; a cursor is bound to them."""

    user_id: UUID
    only_unread: bool
    order: InboxOrder
    limit: int

    def make_name(self, *, grouped: bool) -> str:
        """Return the name of the list, without its limit."""
        return f"inbox {self.user_id} {self.only_unread} {self.order} {grouped}"


@dataclass(frozen=True, slots=True)
class Groups:
    """Groups of notifications, the newest notification of each, and the people in them."""

    rows: list[tuple[GroupRow, RowMapping]]
    people: dict[UUID, User]


async def list_notifications(
    session: AsyncSession, signer: Signer, params: InboxParams, cursor: str | None
) -> tuple[list[RowMapping], PageInfo]:
    """Return a page of the inbox. Raises InvalidCursor."""
    name = params.make_name(grouped=False)
    is_read: bool | None = False if params.only_unread else None
    before: int | None = None
    if not params.only_unread and params.order is InboxOrder.UNREAD_FIRST:
        is_read = False
    if cursor is not None:
        is_read, before = decode_cursor(signer, name, cursor)
    found = await queries.list_newest(
        session, params.user_id, is_read=is_read, before=before, limit=params.limit
    )
    rows, has_more = list(found.data), found.has_more
    if is_read is False and not params.only_unread and not has_more:
        # The unread ones end on this page; the read ones follow.
        is_read = True
        room = params.limit - len(rows)
        found = await queries.list_newest(
            session, params.user_id, is_read=True, before=None, limit=room
        )
        rows, has_more = [*rows, *found.data], found.has_more
    if not has_more:
        return rows, PageInfo(next_cursor=None, has_more=False)
    return rows, _page_after(signer, name, [is_read, _number_after(rows, is_read=is_read)])


async def list_groups(
    session: AsyncSession, signer: Signer, params: InboxParams, cursor: str | None
) -> tuple[Groups, PageInfo]:
    """Return a page of the inbox in groups. Raises InvalidCursor."""
    name = params.make_name(grouped=True)
    after = None
    if cursor is not None:
        has_unread, number = decode_cursor(signer, name, cursor)
        after = (has_unread, number)
    found = await queries.list_groups(
        session,
        params.user_id,
        only_unread=params.only_unread,
        unread_first=params.order is InboxOrder.UNREAD_FIRST,
        after=after,
        limit=params.limit,
    )
    shown = await queries.find_shown(session, [row.notification_id for row in found.data])
    people = await queries.find_people(
        session, {one for row in found.data for one in row.actor_ids if one is not None}
    )
    page = PageInfo(next_cursor=None, has_more=False)
    if found.has_more:
        last = found.data[-1]
        page = _page_after(signer, name, [last.has_unread, last.number])
    # One that was withdrawn between the statements is left out.
    rows = [(row, shown[row.notification_id]) for row in found.data if row.notification_id in shown]
    return Groups(rows, people), page


async def count_unread(session: AsyncSession, user_id: UUID) -> UnreadCount:
    """Return how many notifications a person has not read."""
    return UnreadCount(
        unread=await queries.count_unread(session, user_id, limit=MAX_COUNTED),
        last_number=await queries.find_last_number(session, user_id),
    )


async def mark_read(uow: UnitOfWork, user_id: UUID, body: NotificationsMark) -> MarkedRead:
    """Mark notifications as read; other people's are left as they are."""
    marked = await queries.mark_read(
        uow.session,
        user_id,
        Marked(
            ids=body.ids,
            article_id=body.article_id,
            kind=None if body.group is None else body.group.kind,
            group_id=None if body.group is None else body.group.group_id,
            up_to=body.up_to,
        ),
        uow.now,
    )
    return MarkedRead(
        unread=await queries.count_unread(uow.session, user_id, limit=MAX_COUNTED),
        has_more=marked == MAX_MARKED,
    )


def _number_after(rows: list[RowMapping], *, is_read: bool | None) -> int | None:
    """Return the number of the last row of the part that goes on; None if it has none here."""
    last = rows[-1]
    return last["number"] if is_read is None or last["is_read"] is is_read else None


def _page_after(signer: Signer, name: str, position: list[Any]) -> PageInfo:
    return PageInfo(next_cursor=encode_cursor(signer, name, position), has_more=True)
