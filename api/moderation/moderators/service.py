"""Appoint and dismiss moderators of articles and tags; each change is a row in the log."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from api.articles.errors import ArticleNotFound
from api.auth.actor import Actor
from api.kit.db.ids import make_id
from api.kit.db.unit_of_work import UnitOfWork
from api.moderation.moderators import policy, queries
from api.moderation.moderators.errors import ModeratorNotFound
from api.moderation.moderators.schemas import ModeratorPut, ModeratorRead
from api.users import queries as users
from api.users.errors import UserNotFound
from api.users.schemas import PersonRead
from models import LogAction, ModerationLogEntry, ModeratorAssignment, User


@dataclass(frozen=True, slots=True)
class Subjects:
    """What a person moderates."""

    article_ids: frozenset[UUID] = frozenset()
    tags: frozenset[str] = frozenset()

    @property
    def as_json(self) -> dict[str, list[str]]:
        """What the log says of them."""
        return {"article_ids": sorted(map(str, self.article_ids)), "tags": sorted(self.tags)}


async def read_moderators(session: AsyncSession, people: Iterable[User]) -> list[ModeratorRead]:
    """Return people with what they moderate."""
    by_person = {user.id: user for user in people}
    assignments = await queries.list_assignments(session, by_person.keys())
    return [
        _present(user, _gather(one for one in assignments if one.user_id == user.id))
        for user in by_person.values()
    ]


async def replace_moderator(
    uow: UnitOfWork, actor: Actor, handle: str, body: ModeratorPut
) -> ModeratorRead:
    """Let a person moderate exactly these articles and tags.

    Raises NotAnAdministrator, UserNotFound or ArticleNotFound.
    """
    policy.require_admin(actor)
    user, before = await _lock(uow, handle)
    after = Subjects(frozenset(body.article_ids), frozenset(body.tags))
    added = after.article_ids - before.article_ids
    if await queries.find_articles(uow.session, added) != added:
        raise ArticleNotFound
    await _change(uow, actor, user, before, after)
    return _present(user, after)


async def delete_moderator(uow: UnitOfWork, actor: Actor, handle: str) -> None:
    """Let a person moderate no single article or tag any more.

    Raises NotAnAdministrator, UserNotFound or ModeratorNotFound.
    """
    policy.require_admin(actor)
    user, before = await _lock(uow, handle)
    if before == Subjects():
        raise ModeratorNotFound
    await _change(uow, actor, user, before, Subjects())


async def _lock(uow: UnitOfWork, handle: str) -> tuple[User, Subjects]:
    """Return a person, locked, and what they moderate. Raises UserNotFound."""
    user = await users.find_user(uow.session, handle)
    if user is None:
        raise UserNotFound
    user = await users.lock_user(uow.session, user.id)
    return user, _gather(await queries.list_assignments(uow.session, [user.id]))


async def _change(
    uow: UnitOfWork, actor: Actor, user: User, before: Subjects, after: Subjects
) -> None:
    if before == after:
        return
    subjects: list[tuple[UUID | None, str | None]] = [
        *((article_id, None) for article_id in after.article_ids - before.article_ids),
        *((None, tag) for tag in after.tags - before.tags),
    ]
    await queries.replace_assignments(
        uow.session,
        user.id,
        article_ids=before.article_ids - after.article_ids,
        tags=before.tags - after.tags,
        assignments=[
            ModeratorAssignment(
                id=make_id(),
                user_id=user.id,
                article_id=article_id,
                tag=tag,
                created_by=actor.id,
                created_at=uow.now,
            )
            for article_id, tag in subjects
        ],
    )
    uow.session.add(
        ModerationLogEntry(
            id=make_id(),
            actor_id=actor.id,
            action=LogAction.UNASSIGN if after == Subjects() else LogAction.ASSIGN,
            user_id=user.id,
            before=before.as_json,
            after=after.as_json,
            created_at=uow.now,
        )
    )


def _gather(assignments: Iterable[ModeratorAssignment]) -> Subjects:
    listed = list(assignments)
    return Subjects(
        frozenset(one.article_id for one in listed if one.article_id is not None),
        frozenset(one.tag for one in listed if one.tag is not None),
    )


def _present(user: User, subjects: Subjects) -> ModeratorRead:
    return ModeratorRead(
        person=PersonRead.model_validate(user),
        article_ids=sorted(subjects.article_ids),
        tags=sorted(subjects.tags),
    )
