"""Write down what staff changed beside comments and people: rules, settings, articles."""

from typing import Any
from uuid import UUID

from pydantic_core import to_jsonable_python

from api.kit.db.ids import make_id
from api.kit.db.unit_of_work import UnitOfWork
from models import LogAction, ModerationLogEntry

# Of these only whether there is one: a log has no texts of people.
_TEXTS = {"notice", "note"}


def log_change(
    uow: UnitOfWork,
    actor_id: UUID | None,
    action: LogAction,
    before: dict[str, Any],
    after: dict[str, Any],
    *,
    article_id: UUID | None = None,
    user_id: UUID | None = None,
) -> ModerationLogEntry:
    """Add an entry with what was so before and after; the next flush stores it.

    Return it. Without an actor it is the service that did it.
    """
    log_entry = ModerationLogEntry(
        id=make_id(),
        actor_id=actor_id,
        action=action,
        article_id=article_id,
        user_id=user_id,
        before=_to_log_values(before),
        after=_to_log_values(after),
        created_at=uow.now,
    )
    uow.session.add(log_entry)
    return log_entry


def _to_log_values(values: dict[str, Any]) -> dict[str, Any]:
    logged: dict[str, Any] = to_jsonable_python(values)
    return {name: bool(value) if name in _TEXTS else value for name, value in logged.items()}
