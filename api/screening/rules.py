"""The rules of a site as a process holds them: prepared once for each version."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

from api.screening.matching import Entry, EntryKind, Matcher
from models import RuleAction, RuleKind


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that is switched on."""

    id: UUID
    kind: RuleKind
    value: str
    action: RuleAction

    @property
    def label(self) -> str:
        """The rule in words, for moderators."""
        return f"{self.kind}: {self.value}"


class Rules:
    """All rules that are switched on, ready to be matched."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.by_id: Mapping[UUID, Rule] = {rule.id: rule for rule in rules}
        self._domains = {rule.value: rule for rule in rules if rule.kind is RuleKind.DOMAIN}
        self.matcher = Matcher(
            [
                Entry(rule.id, EntryKind(rule.kind.value), rule.value)
                for rule in rules
                if rule.kind is not RuleKind.DOMAIN
            ]
        )

    def find_domain(self, host: str) -> Rule | None:
        """Return the rule of a host, or else of the nearest domain above it."""
        while host:
            if host in self._domains:
                return self._domains[host]
            _, _, host = host.partition(".")
        return None


def find_host(address: str) -> str | None:
    """Return the host that a link leads to, in lower case and ASCII; None without one."""
    try:
        host = urlsplit(address).hostname
    except ValueError:
        return None
    return to_host(host) if host else None


def to_host(name: str) -> str | None:
    """Return the one spelling of a host's name; None when it is no name."""
    name = name.strip().rstrip(".").lower()
    try:
        return name.encode("idna").decode() if name and not name.isascii() else name or None
    except UnicodeError:
        return None
