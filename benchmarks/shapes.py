"""Random threads: which comment replies to which, without texts."""

from dataclasses import dataclass
from random import Random

from models import MAX_DEPTH

ROOT = -1

# Where a new comment stands: under the article; under one of the latest comments, as in a lively
# thread; at the end of the deepest line, as in a quarrel of two; or under any earlier comment, the
# older the likelier, which gives some comments thousands of replies in a large thread.
_UNDER_ARTICLE = 0.12
_UNDER_LATEST = 0.9
_UNDER_DEEPEST = 0.902
# How far back the latest comments reach on average.
_LATEST = 40.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a thread must keep within: levels below the roots, roots, replies under one comment."""

    depth: int = MAX_DEPTH
    roots: int = 1 << 62
    replies: int = 1 << 62


@dataclass(frozen=True, slots=True)
class Shape:
    """A thread in order of time: each comment's parent (or ROOT), and the counters of all."""

    parents: list[int]
    depths: list[int]
    reply_counts: list[int]
    descendant_counts: list[int]

    @property
    def roots(self) -> int:
        """Return how many comments stand directly under the article."""
        return self.parents.count(ROOT)

    def line_of(self, index: int) -> list[int]:
        """Return the ancestors, from the root down to the parent."""
        line = []
        parent = self.parents[index]
        while parent != ROOT:
            line.append(parent)
            parent = self.parents[parent]
        line.reverse()
        return line


def make_shape(random: Random, size: int, bounds: Bounds | None = None) -> Shape:
    """Return a thread of `size` comments that keeps within the bounds."""
    bounds = bounds or Bounds()
    parents = [0] * size
    depths = [0] * size
    reply_counts = [0] * size
    roots = deepest = 0
    for index in range(size):
        parent = _choose_parent(random, index, deepest)
        # Whoever is full sends the reply up to their own parent.
        while parent != ROOT and (
            depths[parent] >= bounds.depth or reply_counts[parent] >= bounds.replies
        ):
            parent = parents[parent]
        if parent == ROOT and roots >= bounds.roots:
            parent = _find_place(random, index, depths, reply_counts, bounds)
        parents[index] = parent
        if parent == ROOT:
            roots += 1
            continue
        depths[index] = depths[parent] + 1
        reply_counts[parent] += 1
        if depths[deepest] >= bounds.depth or depths[index] > depths[deepest]:
            deepest = index
    return Shape(parents, depths, reply_counts, _count_descendants(parents))


def _choose_parent(random: Random, index: int, deepest: int) -> int:
    kind = random.random()
    if index == 0 or kind < _UNDER_ARTICLE:
        return ROOT
    if kind < _UNDER_LATEST:
        return max(0, index - 1 - int(random.expovariate(1 / _LATEST)))
    if kind < _UNDER_DEEPEST:
        return deepest
    return int(index * random.random() ** 3)


def _find_place(
    random: Random,
    index: int,
    depths: list[int],
    reply_counts: list[int],
    bounds: Bounds,
) -> int:
    """Return a random earlier comment that has room for a reply."""
    while True:
        place = random.randrange(index)
        if depths[place] < bounds.depth and reply_counts[place] < bounds.replies:
            return place


def _count_descendants(parents: list[int]) -> list[int]:
    counts = [0] * len(parents)
    # A parent is older than its replies, so from the end each count is complete when it is added.
    for index in range(len(parents) - 1, -1, -1):
        parent = parents[index]
        if parent != ROOT:
            counts[parent] += counts[index] + 1
    return counts
