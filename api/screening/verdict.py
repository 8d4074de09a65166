"""What screening has to say about a text: its findings, and what becomes of the text."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from api.kit.problems import Problem
from models import Outcome, Phase, RuleAction

_OUTCOMES = {
    RuleAction.REJECT: Outcome.REJECT,
    RuleAction.HOLD: Outcome.HOLD,
    RuleAction.FLAG: Outcome.FLAG,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that a phase found in a text or about its author, and what it asks for."""

    phase: Phase
    # Never `allow`.
    action: RuleAction
    # What was found, in words for moderators: "word: blorp".
    rule: str
    rule_id: UUID | None = None
    # Code points of the body, half-open; None where the finding is not about a part of it.
    start: int | None = None
    end: int | None = None

    @property
    def outcome(self) -> Outcome:
        """What becomes of the text if this decides."""
        return _OUTCOMES[self.action]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What becomes of a text, and why."""

    outcome: Outcome
    # None when the text is published without any finding.
    decided_by: Finding | None = None
    # All findings up to the phase that decided, the decisive one included.
    findings: Sequence[Finding] = ()
    # What the author of a rejected text is told.
    problem: Problem | None = None

    @property
    def is_shadow_ban(self) -> bool:
        """Whether the author must not notice that nobody else sees the text."""
        return self.decided_by is not None and self.decided_by.phase is Phase.SHADOW_BAN


PUBLISHED = Verdict(outcome=Outcome.PUBLISH)
