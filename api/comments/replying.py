"""A reply on its way into a thread: where it shall stand, and what is stored of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from api.comments.mentions import Mention
from models import CommentState


@dataclass(frozen=True, slots=True)
class Parent:
    """The listed comment to reply to, of whatever article it is: what the rules ask of it."""

    article_id: UUID
    state: CommentState
    depth: int


@dataclass(frozen=True, slots=True)
class Place:
    """A visible article, and the comment under which the reply shall stand, if there is one."""

    article_id: UUID
    is_locked: bool
    parent: Parent | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewComment:
    """What is stored of a reply. How deep it stands is PostgreSQL's to say."""

    id: UUID
    article_id: UUID
    parent_id: UUID | None
    author_id: UUID | None
    # Where it came from elsewhere, what it was called there.
    external_id: str | None = None
    body: str
    html: str
    mentions: Sequence[Mention]
    version: int
    created_at: datetime
