"""Who is asking."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from api.auth.scopes import Scope
from models import CredentialKind, ModerationReason, Role, SanctionKind

# How long an account counts as new, unless the forum goes by published comments.
NEWCOMER_TIME = timedelta(days=1)


class ActorKind(StrEnum):
    """How far a client is trusted with our resources."""

    ANONYMOUS = "anonymous"
    NEWCOMER = "newcomer"
    MEMBER = "member"
    STAFF = "staff"


@dataclass(frozen=True, slots=True)
class Restriction:
    """Why a person is restricted, and until when; without an end until it is lifted."""

    reason: ModerationReason
    message: str
    ends_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A person and the credential that they came with, as the rows stood when the request began.

    What the actor may do is what the person may do (role, restrictions) and the credential covers
    (scopes); `api.auth.policy` and the policies of the domains ask for both.
    """

    id: UUID
    handle: str
    display_name: str
    avatar_url: str | None
    role: Role
    created_at: datetime
    # Whether the person has as many published comments as the forum asks of those who are no
    # newcomers; None where it asks for none, and goes by the age of the account.
    has_approved_comments: bool | None = None
    credential: CredentialKind
    # Of a session's access token; None for any other credential.
    session_id: UUID | None
    scopes: frozenset[Scope]
    # Active sanctions that restrict the person; of each kind the one that ends last.
    restrictions: Mapping[SanctionKind, Restriction]
    # What the person moderates although their role is that of a member.
    moderated_article_ids: frozenset[UUID] = frozenset()
    moderated_tags: frozenset[str] = frozenset()
    # Whether that covers the article that it is about; see `at`.
    moderates_here: bool = False

    @property
    def is_staff(self) -> bool:
        """Tell whether the person is a moderator or an admin, whatever the credential covers."""
        return self.role in (Role.MODERATOR, Role.ADMIN)

    def at(self, article_id: UUID, tags: Collection[str]) -> "Actor":
        """Return the person as they stand under an article with these tags.

        It differs from the actor for moderators of this article or of one of the tags only.
        """
        moderates = article_id in self.moderated_article_ids or not self.moderated_tags.isdisjoint(
            tags
        )
        return replace(self, moderates_here=True) if moderates else self


def kind_of(actor: Actor | None, now: datetime) -> ActorKind:
    """Return how far a client is trusted."""
    if actor is None:
        return ActorKind.ANONYMOUS
    if actor.is_staff:
        return ActorKind.STAFF
    is_known = actor.has_approved_comments
    if is_known is None:
        is_known = now - actor.created_at >= NEWCOMER_TIME
    return ActorKind.MEMBER if is_known else ActorKind.NEWCOMER
