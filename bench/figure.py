"""One measured number, with the goal it is held against."""

from dataclasses import dataclass
from statistics import median, quantiles
from typing import Literal


@dataclass(frozen=True)
class Figure:
    """`value` is in `unit`; `goal`, where there is one, is the largest good value (the smallest with better="more")."""

    name: str
    value: float
    unit: str
    goal: float | None = None
    better: Literal["less", "more"] = "less"
    note: str = ""

    @property
    def met(self) -> bool | None:
        """None where nothing was promised."""
        if self.goal is None:
            return None
        return self.value <= self.goal if self.better == "less" else self.value >= self.goal


def spread(name: str, seconds: list[float], goal: float | None = None) -> Figure:
    """The median of at least two samples, with their number, 95th percentile and worst beside it."""
    p95 = quantiles(seconds, n=20)[-1]
    note = f"n={len(seconds)}, p95 {p95:.3f}, worst {max(seconds):.3f}"
    return Figure(f"{name}, median", median(seconds), "s", goal, note=note)
