"""What screening looks at: a text, its author, and where it is to stand."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from api.screening.verdict import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The settings of a site that screening applies; None and 0 are off."""

    rules_version: int = 0
    held_first_comments: int = 0
    max_links: int | None = None
    newcomer_max_links: int | None = None
    max_repeats: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """The author of a text, as far as it matters; an imported one may be unknown."""

    id: UUID | None = None
    is_staff: bool = False
    is_newcomer: bool = False
    is_shadow_banned: bool = False
    is_pre_moderated: bool = False
    # Published comments; counted up to what `held_first_comments` can be.
    published_comments: int = 0
    # How often they sent the same text within the time that the settings say.
    repeats: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A text that is to be published."""

    author: Author
    limits: Limits
    body: str
    # Addresses, in the order of the body.
    links: Sequence[str] = ()
    # Of an article.
    title: str | None = None
    # Whether the article, or one of its tags, is set to pre-moderation.
    is_article_pre_moderated: bool = False
    # What services outside said of the text before; they are not asked here.
    external: Sequence[Finding] = ()
    # Imported texts are held where others are rejected, and only looked at by rules for texts.
    is_import: bool = False
