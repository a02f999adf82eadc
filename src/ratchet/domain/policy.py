"""Policy: the least that the gate asks by effect, and how long recovery must hold by kind of target."""

import re
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Self

from pydantic import AwareDatetime, Field, model_validator

from ratchet.domain.alert import Alert
from ratchet.domain.duration import Duration
from ratchet.domain.noun import Noun
from ratchet.domain.plan import Check, Verification
from ratchet.domain.playbook import EFFECTS, Effect, StepRule, VerifyRule


class EffectRule(Noun):
    """The least approval for an effect: how many people, and how long their yes is good for."""

    quorum: int = Field(ge=1, le=5)
    expires: Duration = Field(gt=0)


class Window(Noun):
    """A verification window that replaces the file's, in seconds."""

    wait_before: Duration = Field(ge=0)
    every: Duration = Field(gt=0)
    sustain: Duration = Field(gt=0)
    min_samples: int = Field(ge=2, le=1000)
    give_up_after: Duration = Field(gt=0)


class Profile(Noun):
    """What differs between production and targets that are for drills."""

    cooldown: Duration | None = None
    window: Window | None = None


class Freeze(Noun):
    """A time in which nothing is changed: from, until, and why."""

    start: AwareDatetime = Field(alias="from")
    until: AwareDatetime
    reason: str = Field(min_length=1)
    targets: tuple[str, ...] = ()
    """What it is for: a primary with its whole conflict group, a replica or a pooler alone; none means all."""

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.until <= self.start:
            raise ValueError("it ends before it begins; `until` is later than `from`")
        return self

    def on(self, now: datetime) -> bool:
        """Whether it has begun and is not over."""
        return self.start <= now < self.until

    def told(self) -> str:
        """Why, and until when."""
        return f"{self.reason} (until {self.until:%Y-%m-%d %H:%M %Z})"


class Objectives(Noun):
    """What is expected of Ratchet over a span: times in seconds, shares between 0 and 1; None where nothing is."""

    mttd: Duration | None = None
    """Mean time from the alert to the first look, at most."""
    mttr: Duration | None = None
    """Mean time from the first look to the proved recovery, at most."""
    escalation_rate: float | None = Field(default=None, ge=0, le=1)
    false_action_rate: float | None = Field(default=None, ge=0, le=1)
    agreement: float | None = Field(default=None, ge=0, le=1)
    routine_share: float | None = Field(default=None, ge=0, le=1)
    """Of the incidents whose type repeats, how many are resolved without escalation, at least."""


class Impact(Noun):
    """From how much harm on an incident commander decides; None for no limit."""

    customers: float | None = None
    revenue: float | None = None
    """Per hour, in the site's own currency."""

    def above(self, alerts: Sequence[Alert]) -> str:
        """What an alert's labels say is at or above a limit, or cannot be read; an empty text when nothing is."""
        limits = (("impact_customers", self.customers), ("impact_revenue", self.revenue))
        said = [(name, limit, a.labels[name]) for name, limit in limits for a in alerts if a.labels.get(name)]
        return next((_grave(name, limit, text) for name, limit, text in said if _grave(name, limit, text)), "")


def _grave(name: str, limit: float | None, text: str) -> str:
    """No data is never a pass: a number that cannot be read counts as too high."""
    if limit is None:
        return ""
    number = float(text) if _NUMBER.fullmatch(text) else None
    if number is None:
        return f"The alert's label {name} is not a number."
    return f"The alert says {name}={text}; from {limit:g} on a person decides." if number >= limit else ""


_NUMBER = re.compile(r"\d{1,15}(\.\d{1,6})?")


class Reminding(Noun):
    """How often a playbook that is due is told again."""

    every: Duration = Field(default=7 * 86400.0, ge=3600.0)


class Policy(Noun):
    """The whole of `policy.yaml`. A playbook can only tighten it."""

    effects: dict[Effect, EffectRule]
    production: Profile = Profile()
    drill: Profile = Profile()
    freezes: tuple[Freeze, ...] = ()
    impact: Impact = Impact()
    objectives: Objectives = Objectives()
    reminders: Reminding = Reminding()

    def profile(self, chaos: bool) -> Profile:
        """The profile of a target."""
        return self.drill if chaos else self.production

    def quorum(self, step: StepRule, effect: Effect) -> int:
        """How many people must approve."""
        return max(step.approval.quorum, self.effects[effect].quorum)

    def expires(self, step: StepRule, effect: Effect) -> float:
        """Seconds until an unanswered decision expires."""
        return min(step.approval.expires, self.effects[effect].expires)

    def frozen(self, names: Collection[str], now: datetime) -> str:
        """The reason of the change freeze that is on for one of these names (a target and the primary of its conflict
        group), or an empty text."""
        on = [f for f in self.freezes if f.on(now) and (not f.targets or any(name in f.targets for name in names))]
        return on[0].told() if on else ""

    def verification(self, rule: VerifyRule, chaos: bool) -> Verification:
        """The window for this target, with the file's criteria."""
        window = self.profile(chaos).window or rule
        return Verification(
            wait_before=window.wait_before,
            every=window.every,
            sustain=window.sustain,
            min_samples=window.min_samples,
            give_up_after=window.give_up_after,
            checks=tuple(Check(**c.model_dump()) for c in rule.criteria),
        )


def highest(*effects: Effect) -> Effect:
    """The gravest of some effects."""
    return max(effects, key=EFFECTS.index)


def raised(effect: Effect) -> Effect:
    """One step graver: for acts on sessions with uncommitted writes."""
    return EFFECTS[min(EFFECTS.index(effect) + 1, len(EFFECTS) - 1)]
