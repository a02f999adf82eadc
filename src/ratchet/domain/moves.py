"""The moves: what can happen next to an incident, as values; `next_move` chooses one."""

from datetime import datetime
from typing import Literal, TypeAlias

from ratchet.domain.escalation import Stop
from ratchet.domain.noun import Noun


class Look(Noun):
    """Run the probes of the candidate playbooks."""

    kind: Literal["look"] = "look"


class Conclude(Noun):
    """Judge all hypotheses over the captured evidence."""

    kind: Literal["conclude"] = "conclude"


class Bind(Noun):
    """Bind the chosen playbook to what exists here: make the plan."""

    kind: Literal["plan"] = "plan"


class Ask(Noun):
    """Freeze the next step as a decision packet and ask a person."""

    kind: Literal["ask"] = "ask"


class Expire(Noun):
    """Record that nobody answered in time."""

    kind: Literal["expire"] = "expire"


class Perform(Noun):
    """Write the intent, then send the approved act once."""

    kind: Literal["act"] = "act"


class Doubt(Noun):
    """An intent without a result was found: its outcome is unknown."""

    kind: Literal["doubt"] = "doubt"
    op_id: str


class Settle(Noun):
    """The deadline has passed: look whether the act happened."""

    kind: Literal["settle"] = "settle"
    op_id: str


class Undo(Noun):
    """Ask a person whether the step that did not help is taken back."""

    kind: Literal["undo"] = "undo"


class ProveUndo(Noun):
    """Compare the state after a rollback with the state before the step."""

    kind: Literal["prove_undo"] = "prove_undo"


class Take(Noun):
    """Take one verification sample."""

    kind: Literal["verify"] = "verify"


class Judge(Noun):
    """Close the verification window with what its samples say."""

    kind: Literal["judge"] = "judge"
    passed: bool
    because: str


class Resolve(Noun):
    """The incident is over."""

    kind: Literal["resolve"] = "resolve"
    without_action: bool
    because: str


class Draft(Noun):
    """Write down what worked as a draft playbook."""

    kind: Literal["draft"] = "draft"


class Escalate(Noun):
    """Stop and hand over to a person."""

    kind: Literal["escalate"] = "escalate"
    stop: Stop
    detail: str


class Wait(Noun):
    """Nothing to do before `until`."""

    kind: Literal["wait"] = "wait"
    until: datetime


class Rest(Noun):
    """Nothing to do until a person or an alert says something."""

    kind: Literal["rest"] = "rest"


Move: TypeAlias = (
    Look | Conclude | Bind | Ask | Expire | Perform | Doubt | Settle | Undo | ProveUndo | Take | Judge | Resolve
    | Draft | Escalate | Wait | Rest
)  # fmt: skip
