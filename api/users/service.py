"""Adding people, and changing what others see of them."""

from uuid import UUID

from api.auth.actor import Actor
from api.kit.db.database import map_integrity_errors
from api.kit.db.ids import make_id
from api.kit.db.unit_of_work import UnitOfWork
from api.kit.http.conditional import ExpectedRevision, Resource, check_revision
from api.kit.text.names import name_key
from api.users import policy, queries
from api.users.errors import HandleTaken
from api.users.events import ProfileChanged, UserRegistered
from api.users.handles import further_skeleton, handle_from_name, handle_skeleton
from api.users.schemas import MeUpdate
from models import Role, User

# The constraints that say that a handle is taken.
HANDLE_TAKEN = {
    "pk_handles": HandleTaken,
    "uq_handles_skeleton": HandleTaken,
    "uq_users_handle": HandleTaken,
}


async def update_me(
    uow: UnitOfWork, actor: Actor, body: MeUpdate, expected: ExpectedRevision
) -> User:
    """Change the actor's profile.

    Raises PreconditionFailed, HandleTaken, HandleReserved or DisplayNameReserved.
    """
    user = await queries.lock_user(uow.session, actor.id)
    check_revision(expected, Resource("user", user.id), user.revision)
    changes = {
        field: value
        for field, value in body.model_dump(exclude_unset=True).items()
        if value != getattr(user, field) and (value is not None or field == "avatar_url")
    }
    if not changes:
        return user
    if "handle" in changes:
        await _take_handle(uow, actor, changes["handle"])
    if "display_name" in changes:
        if not actor.is_staff:
            policy.require_free_names(None, changes["display_name"])
        user.name_key = name_key(changes["display_name"])
    for field, value in changes.items():
        setattr(user, field, value)
    user.revision += 1
    user.updated_at = uow.now
    uow.emit(ProfileChanged(user_id=user.id))
    return user


async def add_account(
    uow: UnitOfWork,
    *,
    handle: str,
    display_name: str,
    email: str,
    email_key: str,
    password_hash: str,
    role: Role,
) -> User:
    """Store a person who can log in. A violation names the handle that is taken."""
    user = User(
        id=make_id(),
        handle=handle,
        display_name=display_name,
        name_key=name_key(display_name),
        email=email,
        email_key=email_key,
        password_hash=password_hash,
        role=role,
        created_at=uow.now,
        updated_at=uow.now,
    )
    return await add_user(uow, user)


async def replace_password_hash(
    uow: UnitOfWork, user_id: UUID, *, before: str | None, after: str
) -> bool:
    """Set a new hash unless it is no longer the one before; tell whether it was set."""
    user = await queries.lock_user(uow.session, user_id)
    if user.password_hash != before:
        return False
    user.password_hash = after
    user.updated_at = uow.now
    return True


async def give_handle(
    uow: UnitOfWork, user_id: UUID, handle: str, skeleton: str | None = None
) -> None:
    """Give a person a handle, permanently. A violation names the constraint that refuses it."""
    queries.add_handle(
        uow.session,
        handle=handle,
        skeleton=skeleton or handle_skeleton(handle),
        user_id=user_id,
        now=uow.now,
    )
    await uow.session.flush()


async def adopt_author(uow: UnitOfWork, name: str, *, formerly: str | None = None) -> User:
    """Return the imported author of this name, made if there is none.

    Only authors who came with an import are taken for the same person: who signed up under a name
    has not written what was imported under it. An earlier name becomes an earlier handle, which
    leads to the person permanently.
    """
    user = await queries.find_imported_author(uow.session, name_key(name))
    if user is None and formerly is not None:
        user = await queries.find_imported_author(uow.session, name_key(formerly))
        if user is not None:
            await _rename_author(uow, user, name)
    if user is None:
        user = await _add_author(uow, name)
    if formerly is not None:
        earlier = handle_from_name(formerly, ())
        if not await queries.owns_handle_like(uow.session, earlier, user.id):
            await give_handle(uow, user.id, await _choose_handle(uow, formerly))
    return user


async def _add_author(uow: UnitOfWork, name: str) -> User:
    handle = await _choose_handle(uow, name)
    user = User(
        id=make_id(),
        handle=handle,
        display_name=name,
        name_key=name_key(name),
        created_at=uow.now,
        updated_at=uow.now,
    )
    return await add_user(uow, user)


async def add_user(uow: UnitOfWork, user: User) -> User:
    """Store a new person with their handle. A violation names who else has it or one like it."""
    added = await queries.add_user(uow.session, user)
    await give_handle(uow, added.id, added.handle)
    uow.emit(UserRegistered(user_id=added.id))
    return added


async def _take_handle(uow: UnitOfWork, actor: Actor, handle: str) -> None:
    """Make sure that a handle is the person's. Raises HandleTaken or HandleReserved."""
    if await queries.owns_handle(uow.session, handle, actor.id):
        return
    if not actor.is_staff:
        policy.require_free_names(handle, None)
    skeleton = handle_skeleton(handle)
    if await queries.owns_skeleton(uow.session, skeleton, actor.id):
        # A look-alike of a handle of their own: nobody else can be mistaken for them by it.
        skeleton = further_skeleton(handle)
    with map_integrity_errors(HANDLE_TAKEN):
        await give_handle(uow, actor.id, handle, skeleton)


async def _rename_author(uow: UnitOfWork, user: User, name: str) -> None:
    user.handle = await _choose_handle(uow, name)
    await give_handle(uow, user.id, user.handle)
    user.display_name, user.name_key, user.updated_at = name, name_key(name), uow.now
    user.revision += 1
    uow.emit(ProfileChanged(user_id=user.id))


async def _choose_handle(uow: UnitOfWork, name: str) -> str:
    """Return a free handle that sounds like the name."""
    stem = handle_from_name(name, ())
    return handle_from_name(name, await queries.find_handles_like(uow.session, stem))
