"""Use cases of mail: send a notification, schedule and send digests, unsubscribe."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from api.kit.db.unit_of_work import UnitOfWork
from api.kit.services import Services
from api.kit.signing import Signer
from api.mail import queries
from api.mail.errors import UnsubscribeLinkInvalid
from api.mail.events import DigestsDue
from api.mail.messages import Mail, make_message
from api.mail.presenters import to_digest, to_mail
from api.mail.transport import MailRefusedError, can_send, send_message
from api.mail.unsubscribing import InvalidTokenError, Unsubscription, parse_token
from api.notifications.policy import default_channel
from api.notifications.settings import queries as settings
from models import MailFrequency, NotificationKind, User

log = structlog.get_logger(__name__)

# People whose digests are scheduled in one transaction.
DIGEST_BATCH = 500
# Notifications that a digest shows.
MAX_ITEMS = 50
_PERIODS = {MailFrequency.DAILY: timedelta(days=1), MailFrequency.WEEKLY: timedelta(days=7)}


async def send_mail(services: Services, mail: Mail) -> None:
    """Send a mail; one that the mail server will never take is only noted.

    Raises MailDelayedError.
    """
    try:
        message = make_message(services.settings, mail, services.clock.now())
    except ValueError:  # its text may have the address in it
        log.warning("mail_refused", message_id=mail.message_id, reason="not an address for mail")
        return
    try:
        await send_message(services.settings, message)
    except MailRefusedError as error:
        log.warning("mail_refused", message_id=mail.message_id, reason=str(error))


async def send_notification(services: Services, notification_id: UUID) -> None:
    """Mail a notification, if it is unread, can be seen and is wanted. Raises MailDelayedError."""
    if not can_send(services.settings):
        return
    # Not a reading session, which a replica may serve: what was hidden since must not be sent.
    async with services.database.write_session() as session:
        row = await queries.find_mail(session, notification_id, services.clock.now())
    if row is not None:
        await send_mail(services, to_mail(services.settings, services.signer, row))


async def schedule_digests(services: Services) -> bool:
    """Schedule the digests that are due; return whether there are more.

    In one transaction it is noted up to which notification a digest goes, and becomes an event: a
    notification is in one digest at most, and the worker delivers that at least once.
    """
    if not can_send(services.settings):
        return False
    now = services.clock.now()
    has_more = False
    for frequency in _PERIODS:
        since = find_last_time(frequency, now, hour=services.settings.digest_hour)
        async with services.unit_of_work() as uow:
            due = await queries.list_due_digests(
                uow.session, frequency, since=since, limit=DIGEST_BATCH
            )
            if due:
                await queries.note_digests(uow.session, frequency, due, now)
            news = [(one.user_id, one.after, one.up_to) for one in due if one.after is not None]
            news = [one for one in news if one[1] < one[2]]
            if news:
                user_ids, after, up_to = zip(*news, strict=True)
                uow.emit(
                    DigestsDue(frequency=frequency, user_ids=user_ids, after=after, up_to=up_to)
                )
        has_more = has_more or len(due) == DIGEST_BATCH
    return has_more


async def send_digest(services: Services, event: DigestsDue, user_id: UUID) -> None:
    """Mail a digest, if there is anything in it now. Raises MailDelayedError."""
    if not can_send(services.settings):
        return
    now = services.clock.now()
    place = event.user_ids.index(user_id)
    async with services.database.write_session() as session:
        rows, more = await queries.list_digest_rows(
            session,
            user_id,
            event.frequency,
            after=event.after[place],
            up_to=event.up_to[place],
            # Who comes back to digests after a long time is told of the latest only.
            not_before=now - 2 * _PERIODS[event.frequency],
            now=now,
            limit=MAX_ITEMS,
        )
    if rows:
        digest = to_digest(
            services.settings,
            services.signer,
            rows,
            frequency=event.frequency,
            up_to=event.up_to[place],
            more=more,
        )
        await send_mail(services, digest)


def find_last_time(frequency: MailFrequency, now: datetime, *, hour: int) -> datetime:
    """Return when the digests of a frequency were due last: each day, or each Monday, in UTC."""
    moment = now.astimezone(UTC)
    today = moment.replace(hour=hour, minute=0, second=0, microsecond=0)
    last = today if today <= moment else today - timedelta(days=1)
    days = last.weekday() if frequency is MailFrequency.WEEKLY else 0
    return last - timedelta(days=days)


def read_token(signer: Signer, token: str) -> Unsubscription:
    """Return what the link of a mail ends. Raises UnsubscribeLinkInvalid."""
    try:
        return parse_token(signer, token)
    except InvalidTokenError as error:
        raise UnsubscribeLinkInvalid from error


async def gets_mails(session: AsyncSession, wanted: Unsubscription) -> bool:
    """Return whether a person still gets the mails of an unsubscribe link.

    Raises UnsubscribeLinkInvalid when the account is gone.
    """
    return bool(await _list_kinds(session, wanted))


async def unsubscribe(uow: UnitOfWork, wanted: Unsubscription) -> None:
    """End the mails of a kind, or of all kinds that come in a digest.

    Raises UnsubscribeLinkInvalid when the account is gone.
    """
    kinds = await _list_kinds(uow.session, wanted)
    if kinds:
        await settings.switch_off_mail(uow.session, wanted.user_id, kinds)


async def _list_kinds(session: AsyncSession, wanted: Unsubscription) -> list[NotificationKind]:
    """Return the kinds whose mails a link would end now."""
    if await session.get(User, wanted.user_id) is None:
        raise UnsubscribeLinkInvalid
    chosen = await settings.find_channels(session, wanted.user_id)
    mailed = {kind: chosen.get(kind, default_channel(kind)).mail for kind in NotificationKind}
    if isinstance(wanted.subject, MailFrequency):
        return [kind for kind, mail in mailed.items() if mail is wanted.subject]
    return [] if mailed[wanted.subject] is MailFrequency.NEVER else [wanted.subject]
