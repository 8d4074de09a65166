"""Registering, and changing what others see."""

from uuid import UUID

from sqlalchemy.exc import IntegrityError

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
    # Before the first statement of the transaction: no connection is held while this computes.
    password_hash = await hash_password(body.password)
    display_name = body.display_name or body.handle
    user = User(
        id=make_id(),
        handle=body.handle,
        display_name=display_name,
        name_key=name_key(display_name),
        email=body.email,
        password_hash=password_hash,
        role=role,
        created_at=uow.now,
        updated_at=uow.now,
    )
    with refusing(_HANDLE_TAKEN):
        uow.session.add(user)
        await uow.session.flush()
        await give_handle(uow, user.id, body.handle)
    await _claim_email(uow, user, login_key(body.email))
    uow.emit(UserRegistered(user_id=user.id))
    return user


async def update_me(uow: Uow, actor: Actor, body: MeUpdate, expected: ExpectedRevision) -> User:
    """Change the own profile. Raises PreconditionFailed, HandleTaken or HandleReserved."""
    user = await queries.lock_user(uow.session, actor.id)
    check_revision(expected, user.revision)
    changes = body.model_dump(exclude_unset=True)
    if not changes:
        return user
    if body.handle is not None and body.handle != user.handle:
        if is_reserved_handle(body.handle) and not actor.is_staff:
            raise HandleReserved
        with refusing(_HANDLE_TAKEN):
            if not await queries.owns_handle(uow.session, body.handle, user.id):
                await give_handle(uow, user.id, body.handle)
            user.handle = body.handle
            await uow.session.flush()
    if body.display_name is not None:
        user.display_name = body.display_name
        user.name_key = name_key(body.display_name)
    if "avatar_url" in changes:
        user.avatar_url = body.avatar_url
    user.revision += 1
    user.updated_at = uow.now
    uow.emit(ProfileChanged(user_id=user.id))
    return user


async def change_password(uow: Uow, actor: Actor, body: PasswordUpdate) -> None:
    """Set a new password and end every other login. Raises WrongPassword."""
    async with uow.services.database.read() as session:
        user = await queries.find_user(session, actor.id)
    if not await verify_password(body.current_password, user.password_hash if user else None):
        raise WrongPassword
    password_hash = await hash_password(body.new_password)
    user = await queries.lock_user(uow.session, actor.id)
    user.password_hash = password_hash
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
    uow.session.add(user)
    await uow.session.flush()
    await give_handle(uow, user.id, handle)
    uow.emit(UserRegistered(user_id=user.id))
    return user


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


async def _claim_email(uow: Uow, user: User, email_key: str) -> None:
    """Let the person log in by this address, unless somebody does already."""
    if await queries.has_email(uow.session, email_key):
        return
    try:
        async with uow.session.begin_nested():
            user.email_key = email_key
    except IntegrityError:
        # Somebody claimed it between the question and the claim.
        await uow.session.refresh(user)
