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


def spread(name: str, seconds: list[float], goal: float | None = None, unit: Literal["s", "ms"] = "s") -> Figure:
    """The median of at least two samples, with their number, 95th percentile and worst beside it; `goal` in `unit`."""
    taken = [each * (1000 if unit == "ms" else 1) for each in seconds]
    p95 = quantiles(taken, n=20, method="inclusive")[-1]
    note = f"n={len(taken)}, p95 {p95:.3f}, worst {max(taken):.3f}"
    return Figure(f"{name}, median", median(taken), unit, goal, note=note)
