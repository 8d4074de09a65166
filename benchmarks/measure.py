"""Comparing two things in the same minute."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

# Segments of each side; the figures of record need at least three.
ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Comparison:
    """What each side reached in its segments, in the order in which they were run."""

    ours: tuple[float, ...]
    other: tuple[float, ...]

    @property
    def medians(self) -> tuple[float, float]:
        """Return the medians of both sides."""
        return median(self.ours), median(self.other)

    @property
    def ratio(self) -> float:
        """Return the ratio of the medians."""
        return median(self.ours) / median(self.other)

    @property
    def range(self) -> tuple[float, float]:
        """Return the least and the greatest ratio of two neighbouring segments."""
        ratios = [one / two for one, two in zip(self.ours, self.other, strict=True)]
        return min(ratios), max(ratios)


def alternate(ours: Callable[[], float], other: Callable[[], float]) -> Comparison:
    """Run both sides in turns: A B A B A B."""
    pairs = [(ours(), other()) for _ in range(ROUNDS)]
    return Comparison(tuple(one for one, _ in pairs), tuple(two for _, two in pairs))
