"""Who may do what with a comment in each state: every operation that names one, by everybody.

The table of permissions is about visible comments. This one says what differs for the others, and
under an article that is locked. An operation that names a comment and has no row here fails.
"""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from api.kit.services import Services
from models import CommentState
from tests.architecture.test_permissions import (
    ACTORS,
    TABLE,
    Row,
    World,
    find_places,
    make_world,
)
from tests.client import Client, Person, expect
from tests.lifecycle import add_comment, change_states

# What another person, the author and a moderator get. Anonymous clients get 401 where the operation
# needs credentials, and what another person gets where it does not.
Statuses = tuple[int, int, int]
NOBODY: Statuses = (404, 404, 404)


class States(NamedTuple):
    """What an operation does with a comment that is not visible, by its state.

    A comment with replies is a placeholder; without any it is `unlisted`, here as a hidden one.
    """

    pending: Statuses = NOBODY
    unlisted: Statuses = NOBODY
    hidden: Statuses = NOBODY
    removed: Statuses = NOBODY
    deleted: Statuses = NOBODY
    # Visible, under a locked article; None for what the table of permissions says.
    locked: Statuses | None = None


def placeholder(*statuses: int, **others: Statuses) -> States:
    another, author, moderator = statuses
    same = (another, author, moderator)
    return States(hidden=same, removed=same, deleted=same, **others)


# The author reads their own while it waits.
READ = placeholder(200, 200, 200, pending=(404, 200, 404))
TABLE_BY_STATE: dict[str, States] = {
    "read_comment": READ,
    "read_replies": READ,
    "read_context": READ,
    # The author reads their own until they delete it; moderators read what was not deleted.
    "list_revisions": States(
        pending=(404, 200, 200),
        unlisted=(404, 200, 200),
        hidden=(404, 200, 200),
        removed=(404, 200, 200),
    ),
    "create_comment": placeholder(409, 409, 409, locked=(409, 409, 201)),
    "update_comment": placeholder(403, 409, 403, pending=(404, 409, 404)),
    # An author can delete what is pending or hidden, and not what a moderator has decided.
    "delete_comment": States(
        pending=(404, 204, 404),
        hidden=(403, 204, 204),
        removed=(403, 409, 409),
        deleted=(403, 409, 409),
    ),
    "create_report": placeholder(409, 409, 409, pending=(404, 409, 404)),
    # What readers do not see is not there for people who do not moderate.
    "read_comment_moderation": States(
        pending=(404, 404, 200),
        unlisted=(404, 404, 200),
        hidden=(403, 403, 200),
        removed=(403, 403, 200),
        deleted=(403, 403, 200),
    ),
    "vote_on_comment": placeholder(409, 409, 409, pending=(404, 409, 404)),
}


def list_statuses(row: Row, expected: Statuses | None) -> tuple[int, ...]:
    """Return what each of ACTORS gets.

    Administrators and moderators of the article get what moderators do, and moderators of another
    article what anybody else does.
    """
    if expected is None:
        return row.statuses
    another, author, moderator = expected
    anonymous = 401 if row.anonymous == 401 else another
    return (anonymous, another, author, moderator, moderator, moderator, another)


class Targets:
    """A comment in each state, made anew when one of them was changed."""

    def __init__(self, world: World, services: Services) -> None:
        self.world = world
        self.services = services

    async def make(self, state: str) -> None:
        await self.world.refill()
        owner, article = self.world.owner, self.world.values["{article}"]
        match state:
            case "locked":
                path = f"/v1/articles/{article}"
                locked = await owner.client.patch(
                    path, {"is_locked": True}, headers={"If-Match": "*"}
                )
                expect(locked, 200)
                return
            case "pending":
                comment = await add_comment(
                    self.services, owner, article, None, CommentState.PENDING
                )
            case _:
                comment = (await owner.reply(article))["id"]
                if state != "unlisted":
                    await owner.reply(article, parent=comment)
                after = CommentState.HIDDEN if state == "unlisted" else CommentState(state)
                article_id = expect(await owner.client.get(f"/v1/articles/{article}"), 200)["id"]
                await change_states(self.services, article_id, [comment], after)
        self.world.values["{comment_id}"] = comment


async def test_everybody_may_do_with_each_state_exactly_what_the_table_says(
    client: Client,
    make_staff: Callable[[str], Awaitable[Person]],
    document: dict[str, Any],
    services: Services,
) -> None:
    places = {
        name: place
        for name, place in find_places(document).items()
        if "{comment_id}" in place[1] + str(TABLE[name].body)
    }
    assert set(places) == set(TABLE_BY_STATE), "an operation needs its row by state"
    world = await make_world(client, make_staff)
    targets = Targets(world, services)
    wrong = []
    for state in States._fields:
        is_changed = True
        for name, (method, path) in places.items():
            row, expected = TABLE[name], getattr(TABLE_BY_STATE[name], state)
            for actor, status in enumerate(list_statuses(row, expected)):
                if is_changed:
                    await targets.make(state)
                response = await world.ask(world.clients[actor], method, path, row)
                is_changed = method != "get" and response.is_success
                if response.status_code != status:
                    wrong.append(
                        f"{name} of {state} by {ACTORS[actor]}: {response.status_code}, "
                        f"not {status}"
                    )
    assert wrong == []
