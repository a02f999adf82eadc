"""Drift: how the share of passed runs of one fault moved between two halves of its samples, and what else moved."""

from collections.abc import Callable, Sequence
from datetime import datetime
from math import comb

from ratchet.domain.drill import Run
from ratchet.domain.noun import Noun

ALPHA = 0.05
"""Below this an exact test calls a difference significant."""


class Share(Noun):
    """How many of some samples passed; `value` is what these samples have in common, empty where it is their half."""

    value: str = ""
    passed: int
    samples: int

    @property
    def percentage(self) -> float | None:
        """0 to 100; None without samples."""
        return 100 * self.passed / self.samples if self.samples else None


class Factor(Noun):
    """Something recorded of the runs that is not the same in both halves, with the share of each of its values.

    `p_value` is that of the same exact test, over what the newest sample has against everything else: the smaller, the
    better this alone tells passed from failed. Two factors that moved together have the same one.
    """

    name: str
    first: tuple[Share, ...]
    second: tuple[Share, ...]
    p_value: float | None


class Drift(Noun):
    """One fault. Samples are runs with remediation that say something; the first half holds the older ones."""

    fault: str
    first: Share
    second: Share
    points: float | None
    """Percentage points, second half less first; None where a half is empty."""
    p_value: float | None
    """Of Fisher's exact test, two-sided; None where a half is empty."""
    significant: bool
    factors: tuple[Factor, ...] = ()
    """What differed between the halves, best explanation first; listed where the share moved."""
    outcomes: tuple[bool, ...] = ()
    """Whether each sample passed, oldest first."""
    since: datetime
    until: datetime


PECULIAR = frozenset({"healthy", "double_fire", "crash"})
"""Parts of a certification whose runs are not the fault as the catalogue has it; the certificate tells of them."""


def is_sample(run: Run) -> bool:
    """Whether a run counts in a pass rate: the remedy was to be proved, under ordinary conditions, and the drill itself
    worked."""
    return run.remediate and run.verdict != "error" and run.trial not in PECULIAR


def share_of(runs: Sequence[Run], value: str = "") -> Share:
    """The share of these runs that passed."""
    return Share(value=value, passed=sum(run.verdict == "pass" for run in runs), samples=len(runs))


def exact_test(first: Share, second: Share) -> float | None:
    """Fisher's exact test, two-sided: how likely chance alone gives a difference at least as rare; None where a share
    has no samples."""
    if not first.samples or not second.samples:
        return None
    passed = first.passed + second.passed
    ways = [
        comb(first.samples, n) * comb(second.samples, passed - n)
        for n in range(max(0, passed - second.samples), min(passed, first.samples) + 1)
    ]
    seen = comb(first.samples, first.passed) * comb(second.samples, second.passed)
    return sum(way for way in ways if way <= seen) / sum(ways)


def drift_of(fault: str, runs: Sequence[Run]) -> Drift | None:
    """The drift of one fault over its runs, in any order; None without a sample. Of an odd number the first half is
    the smaller one."""
    samples = sorted((run for run in runs if run.fault == fault and is_sample(run)), key=lambda r: (r.ended_at, r.id))
    if not samples:
        return None
    older, newer = samples[: len(samples) // 2], samples[len(samples) // 2 :]
    first, second = share_of(older), share_of(newer)
    p_value = exact_test(first, second)
    points = _points(first, second)
    return Drift(
        fault=fault, first=first, second=second, points=points, p_value=p_value,
        significant=p_value is not None and p_value < ALPHA, factors=_factors(older, newer) if points else (),
        outcomes=tuple(run.verdict == "pass" for run in samples), since=samples[0].ended_at,
        until=samples[-1].ended_at,
    )  # fmt: skip


def _points(first: Share, second: Share) -> float | None:
    before, after = first.percentage, second.percentage
    return None if before is None or after is None else round(after - before, 1)


def _playbook(run: Run) -> str:
    where = run.environment
    return f"{where.playbook} {where.playbook_digest[:19]}".strip()


RECORDED: tuple[tuple[str, Callable[[Run], str]], ...] = (
    ("playbook", _playbook),
    ("server version", lambda run: run.environment.server_version),
    ("settings", lambda run: run.environment.settings_hash[:19]),
    ("tools", lambda run: run.environment.tools_digest[:19]),
    ("ratchet", lambda run: run.environment.ratchet_version),
    ("target", lambda run: run.target),
    ("alert", lambda run: run.strength),
    ("approval", lambda run: "in advance only" if run.unattended else "by the one who drills"),
)
"""What a run records of its surroundings, by name; an empty text was not recorded."""


def _factors(older: Sequence[Run], newer: Sequence[Run]) -> tuple[Factor, ...]:
    found = [
        _factor((name, read), older, newer)
        for name, read in RECORDED
        if {read(run) for run in older} != {read(run) for run in newer}
    ]
    return tuple(sorted(found, key=lambda each: 1.0 if each.p_value is None else each.p_value))


def _factor(what: tuple[str, Callable[[Run], str]], older: Sequence[Run], newer: Sequence[Run]) -> Factor:
    name, read = what
    now = read(newer[-1])
    runs = [*older, *newer]
    same, other = ([run for run in runs if (read(run) == now) is wanted] for wanted in (True, False))
    return Factor(
        name=name, first=_by_value(read, older), second=_by_value(read, newer),
        p_value=exact_test(share_of(other), share_of(same)),
    )  # fmt: skip


def _by_value(read: Callable[[Run], str], runs: Sequence[Run]) -> tuple[Share, ...]:
    values = dict.fromkeys(read(run) for run in runs)
    return tuple(share_of([run for run in runs if read(run) == value], value or "(not recorded)") for value in values)
