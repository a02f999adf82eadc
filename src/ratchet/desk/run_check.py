"""Runs as they are handed in: held against the incident that the same store has of the drill, never simply believed."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from ratchet.domain.drill import Run, Verdict
from ratchet.domain.errors import Refusal, conflict, invalid
from ratchet.domain.fault import Fault, as_healthy
from ratchet.domain.grading import Aftermath, Sight, grade, verdict_of
from ratchet.domain.incident import Incident
from ratchet.domain.observed import Observed, observe
from ratchet.domain.ports import Store
from ratchet.domain.timeline import Opened

SKEW = timedelta(days=1)
"""How far the clock of whoever drills may lie from the desk's: machines whose clock was set are not refused."""
MOST = 10_000


class RunCheck:
    """Says no to a run that the records do not bear out; raises Refusal."""

    def __init__(self, store: Store, faults: Mapping[str, Fault], now: datetime) -> None:
        self._store = store
        self._faults = faults
        self._now = now

    def check(self, run: Run) -> None:
        """An error proves nothing and needs no incident. Whatever else is told needs one that is a drill of this fault
        on this target and of no other run; and what went well is graded again from that. Only what the ground alone
        saw, the customers and the innocents, is taken on the word of whoever drilled."""
        self._check_times(run)
        if not run.incident:
            if run.verdict != "error" or run.score.parts:
                raise _strange(run, "it names no incident")
            return
        incident, fault = self._store.incident(run.incident), self._fault(run)
        self._check_drill(run, incident)
        if run.verdict in ("pass", "diagnosed"):
            self._check_claims(run, fault, incident)

    def _check_times(self, run: Run) -> None:
        if run.started_at.tzinfo is None or run.ended_at.tzinfo is None:
            raise _strange(run, "its moments have no time zone")
        if not run.started_at <= run.ended_at <= self._now + SKEW:
            raise _strange(run, "it ended before it began, or has not ended yet")

    def _check_claims(self, run: Run, fault: Fault, incident: Incident) -> None:
        seen = self._at_rest(run, incident)
        for name, told, kept in _pairs(run, seen, fault):
            if told != kept:
                raise _strange(run, f"its {name} is {told!r}, and {incident.name} says {kept!r}")
        if not run.score.sound or regraded(run, fault, seen) != run.verdict:
            raise _strange(run, f"{incident.name} does not bear out the verdict {run.verdict}")

    def _at_rest(self, run: Run, incident: Incident) -> Observed:
        """What was seen before the drill was ended. What was done after a mere diagnosis is not the run's."""
        seen = observe(incident, (), self._now)
        status = "resolved" if incident.resolved else "escalated" if incident.handoff else seen.status
        leading, digest = incident.conclusion.leading if incident.conclusion else None, seen.playbook_digest
        if leading is not None and not digest:
            version = self._store.series(leading.playbook.partition("@")[0]).find(leading.version_id)
            digest = version.digest if version is not None else ""
        steps = seen.steps if run.remediate else run.steps
        return seen.model_copy(update={"status": status, "playbook_digest": digest, "steps": steps})

    def _check_drill(self, run: Run, incident: Incident) -> None:
        opened = self._store.timeline(incident.id)[0].event
        quiet = isinstance(opened, Opened) and opened.quiet
        caused = self._faults.get(incident.fault or "")
        its = as_healthy(caused).id if quiet and caused is not None else incident.fault
        same = (run.incident, run.fault) == (incident.name, its) and not self._elsewhere(run, incident)
        if incident.origin != "drill" or not same:
            what = f"a drill of {its} on {incident.target}" if incident.origin == "drill" else "no drill"
            raise _strange(run, f"{incident.name} is {what}")
        at = incident.opened_at
        if at is None or not run.started_at - SKEW <= at <= run.ended_at + SKEW:
            raise _strange(run, f"{incident.name} is of another time")
        others = self._store.runs(since=at - SKEW, fault=run.fault, limit=MOST)
        other = next((one for one in others if one.incident == run.incident and one.id != run.id), None)
        if other is not None:
            raise _strange(run, f"run {other.id} tells of {incident.name} already")

    def _elsewhere(self, run: Run, incident: Incident) -> bool:
        """Whether it was on another server: a replica's alert leads to its primary, and some faults are an alert that
        names no target there is."""
        if incident.target in (None, run.target):
            return False
        known = {each.name: each for each in self._store.targets()}
        here, there = known.get(run.target), known.get(incident.target or "")
        if here is None or there is None:
            return True
        return here.conflict_group != there.conflict_group and here.address != there.address

    def _fault(self, run: Run) -> Fault:
        known = self._faults.get(run.fault)
        if known is None:
            known = next((one for one in map(as_healthy, self._faults.values()) if one.id == run.fault), None)
        if known is None:
            raise invalid(f"Run {run.id[:80]} is of a fault {run.fault} that is not known here.", "ratchet fault list")
        return known


def regraded(run: Run, fault: Fault, seen: Observed) -> Verdict:
    """The verdict that an incident's own records give."""
    sight = Sight(
        fault=fault, caused=run.caused, observed=seen, rejudged=None,
        aftermath=Aftermath(
            mended=run.score.holds("recovery"), untouched=run.score.holds("innocents"), left=run.left
        ),
        remediate=run.remediate,
    )  # fmt: skip
    return verdict_of(sight, grade(sight))


def _pairs(run: Run, seen: Observed, fault: Fault) -> list[tuple[str, object, object]]:
    """What a run tells beside what is known: name, told, known."""
    spec = fault.spec
    return [
        ("outcome", run.outcome, seen.outcome),
        ("cause", run.cause, seen.cause),
        ("confidence", run.confidence, seen.confidence),
        ("object", [(each.kind, each.id) for each in run.found], [(each.kind, each.id) for each in seen.found]),
        ("steps", run.steps, seen.steps),
        ("playbook's digest", run.environment.playbook_digest, seen.playbook_digest or run.environment.playbook_digest),
        ("series", run.series, spec.series),
        ("expected cause", run.expected_cause, spec.cause),
        ("end", (run.expects, run.remedy), (spec.expects, spec.remedy)),
    ]


def _strange(run: Run, because: str) -> Refusal:
    message = f"Run {run.id[:80]} is not kept: {because[:300]}."
    return conflict(message, "Runs are kept as `ratchet fault run` and `ratchet playbook certify` hand them in.")
