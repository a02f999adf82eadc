"""Hypotheses as judged: verdict, evidence for and against, objects named, and the conclusion they lead to."""

from collections.abc import Sequence
from typing import Any, Literal

from ratchet.domain.condition import Trace, read
from ratchet.domain.noun import Noun
from ratchet.domain.priors import Prior
from ratchet.domain.substitute import Group

Verdict = Literal["confirmed", "refuted", "undecided", "unknown", "contradictory"]
Bearing = Literal["acute", "load", "latent"]
"""How a cause bears on users: something is refused or waits now; work costs more than it should; a state that may have
stood for long. Most pressing first."""
BEARINGS: tuple[Bearing, ...] = ("acute", "load", "latent")
Outcome = Literal["cause", "ambiguous", "unknown_cause", "security", "contradictory"]


class Found(Noun):
    """An object concerned: a pid, slot, table, setting, host, named so that a person can point at it."""

    kind: str
    id: str
    name: str = ""
    values: dict[str, Any] = {}
    """Further identity, such as pid and backend_start of a session."""


def groups(found: Sequence[Found]) -> dict[str, Group]:
    """The objects by kind, as placeholders read them."""
    kinds = dict.fromkeys(one.kind for one in found)
    return {kind: _group([one for one in found if one.kind == kind]) for kind in kinds}


def heads(found: Sequence[Found]) -> dict[str, dict[str, Any]]:
    """The first object of each kind, as the criteria of a recovery read it: `objects.role.id`."""
    return {kind: {**group.head} for kind, group in groups(found).items()}


def _group(found: Sequence[Found]) -> Group:
    head = found[0]
    return Group([one.values for one in found], {"id": head.id, "name": head.name, "values": head.values})


class Reason(Noun):
    """One line of evidence for or against, with the captured evidence that it can be re-run from."""

    text: str
    trace: Trace | None = None
    evidence: tuple[str, ...] = ()
    probes: tuple[str, ...] = ()

    @property
    def said(self) -> tuple[str, ...]:
        """The same in lines for a person; the text where no trace was kept."""
        return (self.text,) if self.trace is None else read(self.trace)


def said(reasons: Sequence[Reason]) -> tuple[str, ...]:
    """What several reasons say, each line once."""
    return tuple(dict.fromkeys(line for reason in reasons for line in reason.said))


class Hypothesis(Noun):
    """One cause, judged over captured evidence."""

    id: str
    playbook: str
    """The pin, `series@version`."""
    version_id: str
    title: str
    cause: str
    verdict: Verdict
    prior: float
    confidence: float
    objects: tuple[Found, ...] = ()
    evidence: tuple[Reason, ...] = ()
    against: tuple[Reason, ...] = ()
    then: tuple[str, ...] = ()
    bearing: Bearing = "acute"
    named: bool = False
    """Whether the alert speaks of its playbook."""
    security: bool = False
    action: str = ""
    learned: Prior | None = None
    """How the likelihood that its playbook declares was moved by what people confirmed; None where nobody did."""


class Conclusion(Noun):
    """What the differential says: the ranked hypotheses and whether one of them may be acted on."""

    outcome: Outcome
    cause: str | None = None
    confidence: float = 0.0
    hypotheses: tuple[Hypothesis, ...] = ()
    chosen: int | None = None
    """Index of the leading hypothesis in `hypotheses`, when there is one."""
    suggested_action: str = ""
    why: str = ""

    @property
    def leading(self) -> Hypothesis | None:
        """The hypothesis that the conclusion rests on, if any."""
        return None if self.chosen is None else self.hypotheses[self.chosen]
