"""Policy: the least that the gate asks by effect, and how long recovery must hold by kind of target."""

from datetime import datetime

from pydantic import Field

from ratchet.domain.duration import Duration
from ratchet.domain.noun import Noun
from ratchet.domain.plan import Check, Verification
from ratchet.domain.playbook import EFFECTS, Effect, StepRule, VerifyRule


class EffectRule(Noun):
    """The least approval for an effect: how many people, and how long their yes is good for."""

    quorum: int
    expires: Duration


class Window(Noun):
    """A verification window that replaces the file's, in seconds."""

    wait_before: Duration
    every: Duration
    sustain: Duration
    min_samples: int
    give_up_after: Duration


class Profile(Noun):
    """What differs between production and targets that are for drills."""

    cooldown: Duration | None = None
    window: Window | None = None


class Freeze(Noun):
    """A time in which nothing is changed: from, until, and why."""

    start: datetime = Field(alias="from")
    until: datetime
    reason: str
    targets: tuple[str, ...] = ()
    """Conflict groups that it is for; none means all."""


class Policy(Noun):
    """The whole of `policy.yaml`. A playbook can only tighten it."""

    effects: dict[Effect, EffectRule]
    production: Profile = Profile()
    drill: Profile = Profile()
    freezes: tuple[Freeze, ...] = ()

    def profile(self, chaos: bool) -> Profile:
        """The profile of a target."""
        return self.drill if chaos else self.production

    def quorum(self, step: StepRule, effect: Effect) -> int:
        """How many people must approve."""
        return max(step.approval.quorum, self.effects[effect].quorum)

    def expires(self, step: StepRule, effect: Effect) -> float:
        """Seconds until an unanswered decision expires."""
        return min(step.approval.expires, self.effects[effect].expires)

    def frozen(self, group: str, now: datetime) -> str:
        """The reason of the change freeze that is on for a conflict group, or an empty text."""
        on = [f for f in self.freezes if f.start <= now < f.until and (not f.targets or group in f.targets)]
        return f"{on[0].reason} (until {on[0].until:%Y-%m-%d %H:%M} UTC)" if on else ""

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
