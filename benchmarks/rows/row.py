"""A row of the table: what is measured, what is to be reached, and what was found."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks.bench import Bench


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a row found."""

    value: float
    # Everything a reader needs to judge the value, in a sentence or two.
    note: str
    # The measurements that the value was made of.
    samples: Mapping[str, Any] = field(default_factory=dict)
    # Why the value proves nothing about the target even where it is on its side; None when it does.
    unproven: str | None = None
    # Whether the target has a second condition that was not met; the note says which.
    is_refuted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row; `is_ceiling` says whether the value must stay below the figure or reach it."""

    key: str
    what: str
    target: str
    figure: float
    unit: str
    is_ceiling: bool
    measure: Callable[[Bench], Finding]

    def is_reached(self, value: float) -> bool:
        """Tell whether a value is on the right side of the figure."""
        return value <= self.figure if self.is_ceiling else value >= self.figure

    def show(self, value: float) -> str:
        """Return a value with as many digits as it deserves."""
        digits = 2 if abs(value) < 20 and self.unit in ("", " times") else 0
        return f"{value:,.{digits}f}{self.unit}"
