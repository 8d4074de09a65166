"""THE list of what screening looks at, in order. The first phase that rejects or holds decides.

Pure: a candidate and the rules in, a verdict out. That an article is locked or closed, is for
members only or is in slow mode, is no question of the text: `api.comments.policy` decides it while
the thread is locked, so that it holds for replies that come at the same time, too.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from api.screening.candidate import Candidate
from api.screening.matching import Match
from api.screening.rules import Rule, Rules, find_host
from api.screening.verdict import PUBLISHED, Finding, Verdict
from models import Outcome, Phase, RuleAction

# Stored of one text. A text can have thousands.
MAX_FINDINGS = 20
# From the mildest.
_SEVERITY = (Outcome.PUBLISH, Outcome.FLAG, Outcome.HOLD, Outcome.REJECT)

Look = Callable[[Candidate, Rules], Iterator[Finding]]


def decide(candidate: Candidate, rules: Rules) -> Verdict:
    """Return what becomes of a text: what the first phase with a finding above `flag` says."""
    findings: list[Finding] = []
    for phase, look in PHASES:
        if candidate.is_import and phase not in _OF_IMPORTS:
            continue
        if candidate.author.is_staff and phase is not Phase.WORDS:
            continue
        found = [_soften(candidate, finding) for finding in look(candidate, rules)]
        found.sort(key=lambda finding: _SEVERITY.index(finding.outcome), reverse=True)
        findings += found[: MAX_FINDINGS - len(findings)] or found[:1]
        if found and found[0].outcome in (Outcome.HOLD, Outcome.REJECT):
            return Verdict(outcome=found[0].outcome, decided_by=found[0], findings=findings)
    if not findings:
        return PUBLISHED
    return Verdict(outcome=Outcome.FLAG, decided_by=findings[0], findings=findings)


def find_in_text(candidate: Candidate, rules: Rules) -> list[Finding]:
    """Return what the rules for texts find, whoever wrote it and whatever becomes of it."""
    return [*_look_at_links(candidate, rules), *_look_at_words(candidate, rules)]


def _soften(candidate: Candidate, finding: Finding) -> Finding:
    """Return a finding as it applies: staff is only flagged, and imports are not rejected.

    Neither is an imported article held: it has no state in which it could wait.
    """
    is_imported_article = candidate.is_import and candidate.title is not None
    if candidate.author.is_staff or is_imported_article:
        return replace(finding, action=RuleAction.FLAG)
    if candidate.is_import and finding.action is RuleAction.REJECT:
        return replace(finding, action=RuleAction.HOLD)
    return finding


def _look_at_shadow_ban(candidate: Candidate, _: Rules) -> Iterator[Finding]:
    if candidate.author.is_shadow_banned:
        yield Finding(phase=Phase.SHADOW_BAN, action=RuleAction.HOLD, rule="shadow ban")


def _look_at_pre_moderation(candidate: Candidate, _: Rules) -> Iterator[Finding]:
    if candidate.author.is_pre_moderated:
        rule = "all comments of this person"
        yield Finding(phase=Phase.PRE_MODERATION, action=RuleAction.HOLD, rule=rule)


def _look_at_article(candidate: Candidate, _: Rules) -> Iterator[Finding]:
    if candidate.is_article_pre_moderated:
        rule = "all comments under this article"
        yield Finding(phase=Phase.ARTICLE, action=RuleAction.HOLD, rule=rule)


def _look_at_newcomer(candidate: Candidate, _: Rules) -> Iterator[Finding]:
    held = candidate.limits.held_first_comments
    if candidate.author.published_comments < held:
        rule = f"the first {held} comments of a person"
        yield Finding(phase=Phase.NEWCOMER, action=RuleAction.HOLD, rule=rule)


def _look_at_links(candidate: Candidate, rules: Rules) -> Iterator[Finding]:
    counted = 0
    # Many links lead to the same host: each rule is one finding, at its first link.
    found: dict[Rule, Finding] = {}
    for address in candidate.links:
        host = find_host(address)
        rule = rules.find_domain(host) if host else None
        if rule is None or rule.action is not RuleAction.ALLOW:
            counted += 1
        if host and rule and rule.action is not RuleAction.ALLOW and rule not in found:
            start = candidate.body.lower().find(host)
            is_there = start >= 0 and len(candidate.body.lower()) == len(candidate.body)
            found[rule] = Finding(
                phase=Phase.LINKS,
                action=rule.action,
                rule=rule.label,
                rule_id=rule.id,
                start=start if is_there else None,
                end=start + len(host) if is_there else None,
            )
    yield from found.values()
    limit = _get_link_limit(candidate)
    if limit is not None and counted > limit:
        yield Finding(phase=Phase.LINKS, action=RuleAction.HOLD, rule=f"more than {limit} links")


def _get_link_limit(candidate: Candidate) -> int | None:
    limits = candidate.limits
    if candidate.author.is_newcomer and limits.newcomer_max_links is not None:
        return limits.newcomer_max_links
    return limits.max_links


def _look_at_words(candidate: Candidate, rules: Rules) -> Iterator[Finding]:
    for match in rules.matcher.find(candidate.body):
        yield _to_finding(rules.by_id[match.entry_id], match)
    if candidate.title is not None:
        # Spans are those of the body.
        for match in rules.matcher.find(candidate.title):
            yield _to_finding(rules.by_id[match.entry_id], None)


def _to_finding(rule: Rule, match: Match | None) -> Finding:
    return Finding(
        phase=Phase.WORDS,
        action=rule.action,
        rule=rule.label,
        rule_id=rule.id,
        start=match.start if match else None,
        end=match.end if match else None,
    )


def _look_at_repetition(candidate: Candidate, _: Rules) -> Iterator[Finding]:
    limit = candidate.limits.max_repeats
    if limit is not None and candidate.author.repeats >= limit:
        rule = f"the same text more than {limit} times"
        yield Finding(phase=Phase.REPETITION, action=RuleAction.HOLD, rule=rule)


def _look_at_external(candidate: Candidate, _: Rules) -> Iterator[Finding]:
    yield from (one for one in candidate.external if one.phase is Phase.EXTERNAL_CHECK)


def _look_at_spam(candidate: Candidate, _: Rules) -> Iterator[Finding]:
    yield from (one for one in candidate.external if one.phase is Phase.SPAM_SCORE)


PHASES: tuple[tuple[Phase, Look], ...] = (
    # Who writes. First of all, since nothing about the text may show a shadow ban to its author.
    (Phase.SHADOW_BAN, _look_at_shadow_ban),
    (Phase.PRE_MODERATION, _look_at_pre_moderation),
    # Where: moderators have chosen to see everything here.
    (Phase.ARTICLE, _look_at_article),
    # The first comments of an account, whatever they say.
    (Phase.NEWCOMER, _look_at_newcomer),
    # What is written. Links before words: a host is matched exactly, and few texts have links.
    (Phase.LINKS, _look_at_links),
    (Phase.WORDS, _look_at_words),
    # What was written before: a text that is refused or held anyway needs no comparison.
    (Phase.REPETITION, _look_at_repetition),
    # What others say of it, last: the site's own rules come before the opinion of a service.
    (Phase.EXTERNAL_CHECK, _look_at_external),
    (Phase.SPAM_SCORE, _look_at_spam),
)
_OF_IMPORTS = {Phase.LINKS, Phase.WORDS}
