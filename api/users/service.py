"""Registering, and changing what others see."""

from uuid import UUID

from api.auth.actor import Actor
from api.auth.passwords import hash_password, verify_password
from api.auth.service import log_out_elsewhere, login_key
from api.kit.conditional import ExpectedRevision, check_revision
from api.kit.database import refusing
from api.kit.ids import make_id
from api.kit.names import handle_from_name, handle_skeleton, is_reserved_handle, name_key
from api.kit.uow import Uow
from api.users import queries
from api.users.errors import HandleReserved, HandleTaken, WrongPassword
from api.users.events import ProfileChanged, UserRegistered
from api.users.schemas import MeUpdate, PasswordUpdate, UserCreate
from models import Role, User

# The constraints that say that a handle is somebody's.
_HANDLE_TAKEN = {
    "pk_handles": HandleTaken,
    "uq_handles_skeleton": HandleTaken,
    "uq_users_handle": HandleTaken,
}


async def register(uow: Uow, body: UserCreate, *, role: Role = Role.MEMBER) -> User:
    """Make an account. Raises HandleTaken or HandleReserved.

    An e-mail address that is somebody's already makes an account all the same, which logs in by
    handle alone: the answer does not tell who else is here (docs/decisions/0007).
    """
    if is_reserved_handle(body.handle) and role is Role.MEMBER:
        raise HandleReserved
    # Before the first row is written: nobody waits for a lock while this computes.
    password_hash = await hash_password(body.password)
    display_name = body.display_name or body.handle
    user = User(
        id=make_id(),
        handle=body.handle,
        display_name=display_name,
        name_key=name_key(display_name),
        email=body.email,
        email_key=login_key(body.email),
        password_hash=password_hash,
        role=role,
        created_at=uow.now,
        updated_at=uow.now,
    )
    with refusing(_HANDLE_TAKEN):
        return await _add(uow, user)


async def update_me(uow: Uow, actor: Actor, body: MeUpdate, expected: ExpectedRevision) -> User:
    """Change the own profile. Raises PreconditionFailed, HandleTaken or HandleReserved."""
    user = await queries.lock_user(uow.session, actor.id)
    check_revision(expected, user.revision)
    changes = {
        field: value
        for field, value in body.model_dump(exclude_unset=True).items()
        if value != getattr(user, field) and (value is not None or field == "avatar_url")
    }
    if not changes:
        return user
    if "handle" in changes:
        await _take_handle(uow, actor, user.id, changes["handle"])
    if "display_name" in changes:
        user.name_key = name_key(changes["display_name"])
    for field, value in changes.items():
        setattr(user, field, value)
    user.revision += 1
    user.updated_at = uow.now
    uow.emit(ProfileChanged(user_id=user.id))
    return user


async def change_password(uow: Uow, actor: Actor, body: PasswordUpdate) -> None:
    """Set a new password and end every other login. Raises WrongPassword."""
    async with uow.services.database.read() as session:
        current_hash = (await queries.get_user(session, actor.id)).password_hash
    if not await verify_password(body.current_password, current_hash):
        raise WrongPassword
    new_hash = await hash_password(body.new_password)
    user = await queries.lock_user(uow.session, actor.id)
    if user.password_hash != current_hash:
        # Another login changed it meanwhile, and thereby ended this one.
        raise WrongPassword
    user.password_hash = new_hash
    user.updated_at = uow.now
    await log_out_elsewhere(uow, actor)


async def give_handle(uow: Uow, user_id: UUID, handle: str) -> None:
    """Give a person a handle, for ever. A violation names who else has it or one like it."""
    queries.add_handle(
        uow.session,
        handle=handle,
        skeleton=handle_skeleton(handle),
        user_id=user_id,
        now=uow.now,
    )
    await uow.session.flush()


async def adopt_author(uow: Uow, name: str, *, formerly: str | None = None) -> User:
    """Return the imported author of this name, made if there is none.

    Only authors who came with an import are taken for the same person: somebody who registered
    under a name has not thereby written what others imported. An earlier name becomes an earlier
    handle, which leads to its bearer for ever.
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


async def _add_author(uow: Uow, name: str) -> User:
    handle = await _choose_handle(uow, name)
    user = User(
        id=make_id(),
        handle=handle,
        display_name=name,
        name_key=name_key(name),
        created_at=uow.now,
        updated_at=uow.now,
    )
    return await _add(uow, user)


async def _add(uow: Uow, user: User) -> User:
    added = await queries.add_user(uow.session, user)
    await give_handle(uow, added.id, added.handle)
    uow.emit(UserRegistered(user_id=added.id))
    return added


async def _take_handle(uow: Uow, actor: Actor, user_id: UUID, handle: str) -> None:
    """Make sure that a handle is the person's. Raises HandleTaken or HandleReserved."""
    if await queries.owns_handle(uow.session, handle, user_id):
        return
    if is_reserved_handle(handle) and not actor.is_staff:
        raise HandleReserved
    with refusing(_HANDLE_TAKEN):
        await give_handle(uow, user_id, handle)


async def _rename_author(uow: Uow, user: User, name: str) -> None:
    user.handle = await _choose_handle(uow, name)
    await give_handle(uow, user.id, user.handle)
    user.display_name, user.name_key, user.updated_at = name, name_key(name), uow.now
    user.revision += 1
    uow.emit(ProfileChanged(user_id=user.id))


async def _choose_handle(uow: Uow, name: str) -> str:
    """Return a free handle that sounds like the name."""
    stem = handle_from_name(name, ())
    return handle_from_name(name, await queries.find_handles_like(uow.session, stem))
