"""What the demo hands back at its end: one object, and the exit code that it means."""

from ratchet.cli.exits import BAD_ANSWER, DECLINED, ESCALATED, OK
from ratchet.desk.views import DraftView, IncidentView
from ratchet.domain.noun import Noun


class Proof(Noun):
    """How recovery was proved."""

    samples: int
    sustained_seconds: float


class Outcome(Noun):
    """The demo in one object; times in seconds."""

    fault: str
    incident: str
    cause: str | None
    confidence: float
    probes: int
    triage_seconds: float | None
    grant_to_effect_seconds: float | None
    recovered: bool
    verification: Proof | None
    draft: DraftView | None
    untouched_bystanders: bool


def outcome_of(view: IncidentView, *, shop_is_well: bool, untouched: bool) -> Outcome:
    """The object of a finished incident: recovered only with a proof, and with customers who are served."""
    proof = view.verification
    proved = proof is not None and proof.passed is True
    return Outcome(
        fault=view.fault or "",
        incident=view.id,
        cause=view.cause,
        confidence=view.confidence,
        probes=probes_of(view),
        triage_seconds=view.triage_seconds,
        grant_to_effect_seconds=view.grant_to_effect_seconds,
        recovered=view.status == "resolved" and proved and shop_is_well,
        verification=Proof(samples=proof.samples, sustained_seconds=proof.sustained_seconds) if proof else None,
        draft=view.draft,
        untouched_bystanders=untouched,
    )


def probes_of(view: IncidentView) -> int:
    """How many looks the triage took."""
    looks = [event.details.get("answers", {}) for event in view.timeline if event.event == "triage_started"]
    return sum(len(answers) for answers in looks)


def exit_code(outcome: Outcome, view: IncidentView) -> int:
    """0 recovered, 3 where the person said no, 6 escalated, 5 for everything else."""
    if outcome.recovered:
        return OK
    if view.decision is not None and view.decision.state == "denied":
        return DECLINED
    return ESCALATED if view.status in ("escalated", "held") else BAD_ANSWER
