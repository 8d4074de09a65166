"""Filling a forum with the demo, through the services that clients' requests go through.

Safe to repeat: people are recognized by handle, articles by external id, and a thread is written in
one transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from api.accounts.service import sign_up
from api.articles.service import create_article
from api.auth.actor import Actor
from api.auth.scopes import ALL_SCOPES
from api.comments.schemas import CommentCreate
from api.comments.service import create_comment
from api.kit.db.unit_of_work import UnitOfWork
from api.kit.services import Services
from api.transfer import queries as transfer
from api.transfer.demo import queries
from api.transfer.demo.content import DemoContent, DemoThread, load_content, to_article
from api.votes.service import vote_on_article, vote_on_comment
from models import CredentialKind, User

# The people joined before the first article was written, so they are no newcomers.
JOINED = timedelta(days=60)


class DemoError(Exception):
    """The demo cannot be added; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class DemoReport:
    """What was added, and who can log in."""

    people: int
    threads: int
    comments: int
    handles: Sequence[str]


async def add_demo(services: Services, *, beside_others: bool = False) -> DemoReport:
    """Add what is missing of the demo's people and threads.

    `beside_others`: also to a forum that has other users. Raises DemoError.
    """
    content = load_content()
    async with services.unit_of_work() as uow:
        await _claim(uow)
        known = await queries.find_people(uow.session, content.people)
        await _check_people(uow, content, known, beside_others=beside_others)
        uow.now = services.clock.now() - JOINED
        missing = [body for handle, body in content.people.items() if handle not in known]
        for body in missing:
            known[body.handle] = await sign_up(uow, body)
    actors = {handle: _make_actor(user) for handle, user in known.items()}

    threads = comments = 0
    for position, (external_id, thread) in enumerate(content.threads.items()):
        published = services.clock.now() - timedelta(days=thread.days_ago, minutes=47 * position)
        article_id = await _add_article(services, actors, external_id, thread, published)
        if article_id is None:
            continue
        async with services.unit_of_work() as uow:
            await _add_comments(uow, services, actors, article_id, thread, published)
        threads += 1
        comments += len(thread.comments)
    return DemoReport(len(missing), threads, comments, tuple(content.people))


async def _claim(uow: UnitOfWork) -> None:
    """Be the only demo or import until the transaction ends. Raises DemoError."""
    if not await transfer.claim_import(uow.session):
        raise DemoError("An import or another demo is running. Try again when it has ended.")


async def _check_people(
    uow: UnitOfWork, content: DemoContent, known: dict[str, User], *, beside_others: bool
) -> None:
    """Refuse a forum that is in use. Raises DemoError."""
    strangers = [
        user.handle for user in known.values() if user.email != content.people[user.handle].email
    ]
    if strangers:
        raise DemoError(f"Other people have handles of the demo: {', '.join(strangers)}.")
    if known or beside_others:
        return
    if await queries.has_other_people(uow.session, content.people):
        raise DemoError(
            "This forum has users already, and the demo's password is known to everybody. "
            "To add the demo all the same: palaver demo --force"
        )


async def _add_article(
    services: Services,
    actors: dict[str, Actor],
    external_id: str,
    thread: DemoThread,
    published: datetime,
) -> UUID | None:
    """Return the id of the thread's article, created if it is new; None when it has its comments.

    A transaction of its own, since comments are only written to articles that readers can see.
    """
    async with services.unit_of_work() as uow:
        await _claim(uow)
        known = await queries.find_article(uow.session, external_id)
        if known is not None:
            article_id, has_comments = known
            return None if has_comments else article_id
        uow.now = published
        row = await create_article(
            uow, services, actors[thread.author], to_article(external_id, thread)
        )
        return row.article.id


async def _add_comments(
    uow: UnitOfWork,
    services: Services,
    actors: dict[str, Actor],
    article_id: UUID,
    thread: DemoThread,
    published: datetime,
) -> None:
    """Write a thread's comments and votes, as if they had been written one after the other."""
    await _claim(uow)
    ids: dict[int, UUID] = {}
    uow.now = published
    for comment in thread.comments:
        uow.now = min(uow.now + _pause_before(comment.n), services.clock.now())
        parent_id = None if comment.replies_to is None else ids[comment.replies_to]
        body = CommentCreate(body=comment.body, parent_id=parent_id)
        author = actors[comment.author]
        created = await create_comment(uow, services, author, str(article_id), body)
        ids[comment.n] = created.comment.id
    for actor, value in _choose_voters(actors, thread.author, thread.votes, turn=0):
        await vote_on_article(uow, actor, str(article_id), value)
    for comment in thread.comments:
        voters = _choose_voters(actors, comment.author, comment.votes, turn=comment.n)
        for actor, value in voters:
            await vote_on_comment(uow, actor, ids[comment.n], value)
    uow.now = services.clock.now()


def _pause_before(n: int) -> timedelta:
    """Return how long after the comment before it a comment is written: 4 to 40 minutes."""
    return timedelta(minutes=4 + n * 23 % 37)


def _choose_voters(
    actors: dict[str, Actor], author: str, votes: tuple[int, int], *, turn: int
) -> list[tuple[Actor, int]]:
    """Return who votes how, not the author; `turn` makes others begin each time."""
    others = [actor for handle, actor in actors.items() if handle != author]
    start = turn % len(others)
    up, down = votes
    return list(zip(others[start:] + others[:start], [1] * up + [-1] * down, strict=False))


def _make_actor(user: User) -> Actor:
    """Return the user as their session would act, but for screening.

    The operator adds these texts: rules of the forum flag them, as they do texts of staff.
    """
    return Actor(
        id=user.id,
        handle=user.handle,
        display_name=user.display_name,
        avatar_url=user.avatar_url,
        role=user.role,
        created_at=user.created_at,
        credential=CredentialKind.SESSION,
        session_id=None,
        scopes=ALL_SCOPES,
        restrictions={},
        moderates_here=True,
    )
