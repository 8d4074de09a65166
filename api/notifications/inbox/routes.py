"""HTTP for the inbox."""

from typing import Annotated

from fastapi import Query, Request, Response

from api.auth.actor import Actor
from api.auth.dependencies import requires
from api.auth.quotas import Action, limit
from api.auth.scopes import Scope
from api.kit.dependencies import ReadSession, ServicesDep, UowDep
from api.kit.http.cacheability import private_response
from api.kit.http.pagination import CursorParam, InvalidCursor, Limit, link_next
from api.kit.http.problem_responses import problems
from api.kit.http.routing import make_router
from api.notifications.inbox import service
from api.notifications.inbox.presenters import to_group, to_notification
from api.notifications.inbox.schemas import (
    InboxOrder,
    MarkedRead,
    NotificationPage,
    NotificationsMark,
    UnreadCount,
)
from api.notifications.inbox.service import InboxParams

router = make_router("notifications")

Recipient = Annotated[Actor, requires(Scope.NOTIFICATIONS_READ)]
Reader = Annotated[Actor, requires(Scope.NOTIFICATIONS_WRITE)]


@router.get("/me/notifications", responses=problems(InvalidCursor))
async def list_notifications(
    request: Request,
    response: Response,
    actor: Recipient,
    session: ReadSession,
    services: ServicesDep,
    unread: Annotated[bool, Query(description="Only what you have not read.")] = False,
    order: Annotated[
        InboxOrder, Query(description="By time, or what you have not read first.")
    ] = InboxOrder.NEWEST,
    grouped: Annotated[
        bool, Query(description="One notification for each `kind` and `group_id`.")
    ] = False,
    limit: Limit = 20,
    cursor: CursorParam = None,
) -> NotificationPage:
    """List your notifications.

    Only what you can see now: what was hidden or removed comes back when it is restored. Grouped,
    the list has your newest 1000.
    """
    params = InboxParams(user_id=actor.id, only_unread=unread, order=order, limit=limit)
    if grouped:
        groups, page = await service.list_groups(session, services.signer, params, cursor)
        data = [to_notification(row, to_group(group, groups.people)) for group, row in groups.rows]
    else:
        rows, page = await service.list_notifications(session, services.signer, params, cursor)
        data = [to_notification(row) for row in rows]
    link_next(request, response, page.next_cursor)
    return NotificationPage(data=data, page=page)


@router.get("/me/notifications/count")
@private_response
async def count_notifications(actor: Recipient, session: ReadSession) -> UnreadCount:
    """Get the number of unread notifications."""
    return await service.count_unread(session, actor.id)


@router.post("/me/notifications/read", dependencies=[limit(Action.NOTIFICATIONS)])
async def mark_notifications_read(
    body: NotificationsMark, actor: Reader, uow: UowDep
) -> MarkedRead:
    """Mark notifications as read.

    Single ones, those about an article, those of a group, or all up to a number.
    """
    return await service.mark_read(uow, actor.id, body)
