"""Screening: the rules of a site, its settings, and what was decided by them."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Index, Integer
from sqlalchemy import text as sql
from sqlmodel import Field, SQLModel

from models.metadata import enum_column, id_column, reference_column, text_column, time_column

MAX_RULE_VALUE = 200
MAX_RULE_NOTE = 1000
# Seconds.
MAX_REPEAT_WINDOW = 7 * 24 * 60 * 60
MAX_HELD_FIRST_COMMENTS = 100
MAX_NEWCOMER_COMMENTS = 100
MAX_LINKS = 1000
MAX_REPEATS = 100
MAX_REPORT_THRESHOLD = 1000


class RuleKind(StrEnum):
    """How the value of a rule is matched."""

    # Whole words, whatever their spelling.
    WORD = "word"
    # A pattern in RE2's syntax.
    PATTERN = "pattern"
    # A host that links lead to, and all below it.
    DOMAIN = "domain"


class RuleAction(StrEnum):
    """What becomes of a text that a rule matches."""

    REJECT = "reject"
    HOLD = "hold"
    # Published, and shown to moderators.
    FLAG = "flag"
    # For domains: links to it are not counted.
    ALLOW = "allow"


class Outcome(StrEnum):
    """What becomes of a text; `flag` is published, and shown to moderators."""

    PUBLISH = "publish"
    FLAG = "flag"
    HOLD = "hold"
    REJECT = "reject"


class Phase(StrEnum):
    """What screening looks at; `api.screening.phases` has them in order."""

    SHADOW_BAN = "shadow_ban"
    PRE_MODERATION = "pre_moderation"
    ARTICLE = "article"
    NEWCOMER = "newcomer"
    LINKS = "links"
    WORDS = "words"
    REPETITION = "repetition"
    EXTERNAL_CHECK = "external_check"
    SPAM_SCORE = "spam_score"


class Audience(StrEnum):
    """Who may read something."""

    EVERYBODY = "everybody"
    STAFF = "staff"
    NOBODY = "nobody"


class ScreeningRule(SQLModel, table=True):
    """A word, a pattern or a domain, and what becomes of texts that have it."""

    __tablename__: ClassVar[str] = "screening_rules"
    __table_args__ = (
        CheckConstraint(f"char_length(value) BETWEEN 1 AND {MAX_RULE_VALUE}", name="value_length"),
        CheckConstraint(f"char_length(note) <= {MAX_RULE_NOTE}", name="note_length"),
        CheckConstraint("action <> 'allow' OR kind = 'domain'", name="only_domains_are_allowed"),
        Index("uq_screening_rules_value", "kind", "value", unique=True),
    )

    id: UUID = Field(sa_column=id_column(primary_key=True))
    kind: RuleKind = Field(sa_column=enum_column(RuleKind))
    value: str = Field(sa_column=text_column())
    action: RuleAction = Field(sa_column=enum_column(RuleAction))
    # For other moderators.
    note: str = Field(default="", sa_column=text_column(server_default=sql("''")))
    is_enabled: bool = Field(default=True, sa_column_kwargs={"server_default": sql("true")})
    revision: int = Field(default=1, sa_column_kwargs={"server_default": sql("1")})
    created_by: UUID | None = Field(
        default=None, sa_column=reference_column("users.id", nullable=True)
    )
    created_at: datetime = Field(sa_column=time_column())
    updated_at: datetime = Field(sa_column=time_column())


class ScreeningSettings(SQLModel, table=True):
    """How strict a site is: one row, which is made with the table. By default all is off."""

    __tablename__: ClassVar[str] = "screening_settings"
    __table_args__ = (
        CheckConstraint("is_only_row", name="is_only_row"),
        CheckConstraint(
            f"held_first_comments BETWEEN 0 AND {MAX_HELD_FIRST_COMMENTS}", name="held_bounded"
        ),
        CheckConstraint(
            f"newcomer_approved_comments BETWEEN 0 AND {MAX_NEWCOMER_COMMENTS}",
            name="newcomers_bounded",
        ),
        CheckConstraint(
            f"max_links BETWEEN 0 AND {MAX_LINKS} AND newcomer_max_links BETWEEN 0 AND {MAX_LINKS}",
            name="links_bounded",
        ),
        CheckConstraint(
            f"repeat_window_seconds BETWEEN 1 AND {MAX_REPEAT_WINDOW}", name="window_bounded"
        ),
        CheckConstraint(f"max_repeats BETWEEN 1 AND {MAX_REPEATS}", name="repeats_bounded"),
        CheckConstraint(
            f"report_threshold BETWEEN 1 AND {MAX_REPORT_THRESHOLD}", name="threshold_bounded"
        ),
    )

    is_only_row: bool = Field(
        default=True, sa_column=Column(Boolean, primary_key=True, server_default=sql("true"))
    )
    # Raised by each change of rules or settings, in its transaction: what processes keep of the
    # rules is right as long as this is the same.
    rules_version: int = Field(
        default=0, sa_column=Column(BigInteger, nullable=False, server_default=sql("0"))
    )
    # Comments of a new account that are held until so many were published; 0 is off.
    held_first_comments: int = Field(default=0, sa_column_kwargs={"server_default": sql("0")})
    # Published comments with which a person is no newcomer any more, however old the account is; 0
    # lets its age decide.
    newcomer_approved_comments: int = Field(
        default=0, sa_column_kwargs={"server_default": sql("0")}
    )
    # Links in one text above which it is held, for everybody and for newcomers; null is off.
    max_links: int | None = None
    newcomer_max_links: int | None = None
    # How often one person may send the same text within a time; null is off.
    max_repeats: int | None = None
    repeat_window_seconds: int = Field(
        default=3600, sa_column_kwargs={"server_default": sql("3600")}
    )
    revisions_visible_to: Audience = Field(
        default=Audience.EVERYBODY,
        sa_column=enum_column(Audience, server_default=sql("'everybody'")),
    )
    # Whether everybody can read which comments were removed, and why.
    public_log: bool = Field(default=False, sa_column_kwargs={"server_default": sql("false")})
    # The weight of open reports at which a comment is hidden until reviewed; null is off.
    report_threshold: float | None = None
    revision: int = Field(default=1, sa_column_kwargs={"server_default": sql("1")})
    updated_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))


class ScreeningDecision(SQLModel, table=True):
    """What a phase found in a text, and what became of it. The text itself is not kept.

    A text in which nothing was found has no row.
    """

    __tablename__: ClassVar[str] = "screening_decisions"
    __table_args__ = (
        CheckConstraint("span_start >= 0 AND span_end > span_start", name="span_in_order"),
        CheckConstraint("char_length(rule) BETWEEN 1 AND 300", name="rule_length"),
        Index("ix_screening_decisions_comment_id", "comment_id", "created_at"),
        Index("ix_screening_decisions_rule_id", "rule_id", "created_at"),
        Index("ix_screening_decisions_created_at", "created_at"),
    )

    id: UUID = Field(sa_column=id_column(primary_key=True))
    # Null for an article, and for a text that was rejected. No references: a row outlives what it
    # is about, as far as that can be deleted.
    comment_id: UUID | None = Field(default=None, sa_column=id_column(nullable=True))
    article_id: UUID | None = Field(default=None, sa_column=id_column(nullable=True))
    author_id: UUID | None = Field(default=None, sa_column=id_column(nullable=True))
    # Of the comment or article, as this decision left it.
    revision: int
    outcome: Outcome = Field(sa_column=enum_column(Outcome))
    # Whether this finding made the outcome, or was one more.
    is_decisive: bool
    phase: Phase = Field(sa_column=enum_column(Phase))
    rule_id: UUID | None = Field(default=None, sa_column=id_column(nullable=True))
    # The rule as it was then, in words.
    rule: str = Field(sa_column=text_column())
    # Unicode code points of the body, half-open.
    span_start: int | None = Field(default=None, sa_column=Column(Integer, nullable=True))
    span_end: int | None = Field(default=None, sa_column=Column(Integer, nullable=True))
    created_at: datetime = Field(sa_column=time_column())
