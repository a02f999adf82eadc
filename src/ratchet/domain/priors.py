"""Learning from people's words: the declared likelihood of a cause, moved by what incidents here really were; pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from ratchet.domain.noun import Noun

STRENGTH = 40.0
"""What is known before weighs as much as so many confirmed incidents: the declared likelihood against the other
services of that kind of target, and what comes of both against this service."""
LEAST, MOST = 0.25, 4.0
"""A prior stays between a quarter and four times what was declared, however often a cause was confirmed."""


class Confirmed(Noun):
    """A person's word on what an incident was; a later word on the same incident replaces it."""

    incident: str
    origin: Literal["production", "drill"] = "production"
    target: str | None
    service: str
    """As the alert labels it; the target's name where it does not."""
    cause: str
    at: datetime
    by: str


class Prior(Noun):
    """How likely a cause was held before anything was looked at, and why."""

    value: float
    declared: float
    confirmed: int
    """Of `of` incidents of this service that a person named the cause of, so many were this one."""
    of: int
    confirmed_elsewhere: int = 0
    """The same on other services of this kind of target."""
    of_elsewhere: int = 0

    @property
    def said(self) -> str:
        """`prior 0.31 (declared 0.20, 9 confirmed of 14 here)`."""
        more = f", {self.confirmed_elsewhere} of {self.of_elsewhere} elsewhere" if self.of_elsewhere else ""
        return (
            f"prior {self.value:.2f} (declared {self.declared:.2f}, {self.confirmed} confirmed of {self.of} here{more})"
        )


class Priors(Noun):
    """Confirmed causes, counted for one service and for all others of that kind of target."""

    here: dict[str, int] = {}
    elsewhere: dict[str, int] = {}

    @property
    def silent(self) -> bool:
        """Whether nobody ever named a cause."""
        return not self.here and not self.elsewhere

    def of(self, cause: str, declared: float) -> Prior:
        """The prior of a cause: shrunk towards the other services, and these towards what its playbook declares."""
        n, n_else = sum(self.here.values()), sum(self.elsewhere.values())
        k, k_else = self.here.get(cause, 0), self.elsewhere.get(cause, 0)
        value = shrunk(shrunk(declared, k_else, n_else), k, n)
        return Prior(
            value=round(bounded(value, declared), 4),
            declared=declared,
            confirmed=k,
            of=n,
            confirmed_elsewhere=k_else,
            of_elsewhere=n_else,
        )


def shrunk(before: float, k: int, n: int) -> float:
    """The share k of n, pulled towards what was known before by the weight of `STRENGTH` incidents."""
    return (STRENGTH * before + k) / (STRENGTH + n)


def bounded(value: float, declared: float) -> float:
    """The value within `LEAST` and `MOST` times what was declared, and never above 1."""
    return min(MOST * declared, 1.0, max(LEAST * declared, value))


def last_words(words: Sequence[Confirmed], until: datetime | None = None) -> list[Confirmed]:
    """The last word on each incident of production, as things stood at a moment. What drills were is no news."""
    said = sorted((w for w in words if w.origin == "production"), key=lambda w: w.at)
    return list({w.incident: w for w in said if until is None or w.at <= until}.values())


def priors_of(
    words: Sequence[Confirmed], kinds: Mapping[str, str], where: tuple[str, str], until: datetime | None = None
) -> Priors:
    """What was confirmed until a moment, for `where`, a kind of target and a service; `kinds` is by target name."""
    kind, service = where
    alike = [w for w in last_words(words, until) if kinds.get(w.target or "") == kind]
    return Priors(
        here=Counter(w.cause for w in alike if w.service == service),
        elsewhere=Counter(w.cause for w in alike if w.service != service),
    )
