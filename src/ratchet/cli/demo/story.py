"""The demo, act by act: a healthy shop, a fault, an alert, the causes, the packet, the act, the proof, the draft."""

import sys
import time
from datetime import UTC, datetime

from ratchet.cli.demo.alert import PATH, alertmanager_body, send
from ratchet.cli.demo.outcome import Outcome, outcome_of, probes_of
from ratchet.cli.demo.shop_strip import half_seconds, in_words
from ratchet.cli.demo.stage import OPERATOR, Stage, Wanted
from ratchet.cli.demo.teller import Teller
from ratchet.cli.page import Field, Line, field
from ratchet.cli.pages.decision import decision_page, question
from ratchet.cli.pages.handoff import handoff_page
from ratchet.cli.pages.incident import hypothesis_field
from ratchet.cli.words import ELLIPSIS, clock, share
from ratchet.desk.views import DecisionView, HypothesisView, IncidentView
from ratchet.domain.errors import Code, Refusal
from ratchet.domain.fault import FaultCheck
from ratchet.lab.checks import unmet
from ratchet.lab.faults import inject

POLL_S = 0.1
WELL_FOR_S = 2.0
NOTICED_AFTER_S = 3.0
"""How long the failure lasts before the alert is sent; a monitor's `for:` is longer, and nobody would wait for it."""
TRIAGE_LIMIT_S = 30.0
VERIFY_LIMIT_S = 90.0
DRAFT_LIMIT_S = 10.0
RATCHET_SAYS = ("approval_granted", "fix_started", "fix_completed", "verification_passed", "verification_failed")
OTHERS_SHOWN = 4
SHORT = 80
"""Characters of a reason that a story has room for; the incident's own page shows it whole."""
WELL = (FaultCheck(uses="shop.healthy", within=15.0),)


class Story:
    """One fault, from before it is caused until after it is mended."""

    def __init__(self, stage: Stage, wanted: Wanted, teller: Teller, *, yes: bool) -> None:
        self._stage = stage
        self._fault = wanted.fault
        self._seed = wanted.seed
        self._tell = teller
        self._asks = not yes and sys.stdin.isatty() and teller.live
        self._begun = time.monotonic()

    def play(self) -> tuple[Outcome, IncidentView]:
        """Everything, in order; the fault is taken back at the end, whatever happens."""
        self._baseline()
        self._tell.part("The fault")
        self._tell.fact("CAUSED", f"{self._fault.id}: {self._fault.metadata.title}")
        with inject(self._fault, self._stage.lab, self._seed):
            self._symptom()
            view = self._diagnosed(self._alert())
            if view.decision is not None and view.status == "awaiting_approval":
                view = self._answered(view.decision)
            return self._ended(view), view

    def _baseline(self) -> None:
        tell, lab = self._tell, self._stage.lab
        tell.part("The shop is well")
        with tell.busy("waiting for the first customers"):
            self._need(unmet(self._fault.spec.baseline, lab), "The shop did not open well.")
        self._watch(WELL_FOR_S, "a little everyday life")
        tell.fact("SHOP", Line(in_words(lab.shop.sample(WELL_FOR_S)), "good"))
        version = ".".join(str(part) for part in lab.primary.binaries.version)
        replica = " with a streaming replica" if lab.replica is not None else ""
        tell.fact("SERVER", f"PostgreSQL {version} of our own{replica}, {lab.endpoint().address}")
        tell.fact("BYSTANDERS", f"{', '.join(lab.bystanders.names())}: idle like a culprit, and innocent")
        tell.fact(
            "RATCHET", f"{self._stage.url}, looking after {', '.join(r.target.name for r in self._stage.reports)}"
        )

    def _watch(self, seconds: float, words: str) -> None:
        """Let the shop go on for a while, in sight."""
        ends = time.monotonic() + seconds
        with self._tell.busy(words) as moving:
            while time.monotonic() < ends:
                moving(f"{in_words(self._stage.lab.shop.sample(1.0))}  ·  {words}")
                time.sleep(POLL_S)

    def _symptom(self) -> None:
        lab = self._stage.lab
        with self._tell.busy("waiting until customers notice"):
            self._need(unmet(self._fault.spec.symptom, lab), "The fault did not show.")
        self._watch(NOTICED_AFTER_S, "a monitor waits before it calls")
        sample = lab.shop.sample(NOTICED_AFTER_S)
        self._tell.fact("SHOP", Line(in_words(sample), "bad"))
        if sample.last_error:
            self._tell.fact("A CUSTOMER", Line(sample.last_error, "bad"))

    def _alert(self) -> str:
        body = alertmanager_body(self._fault, self._stage.lab.endpoint(), datetime.now(UTC))
        said = self._fault.spec.alert.named
        self._tell.part("The alert")
        incidents = send(self._stage.url, self._stage.source_token, body)
        self._tell.fact("ALERTMANAGER", f"{said.labels['alertname']}: {said.annotations.get('summary', '')}")
        self._tell.fact("POST", f"{PATH} -> {', '.join(incidents)}")
        return incidents[0]

    def _diagnosed(self, incident: str) -> IncidentView:
        self._tell.part("The causes")
        with self._tell.busy("looking"):
            view = self._wait(incident, TRIAGE_LIMIT_S, ("open", "triaging"))
        seconds = view.triage_seconds or 0.0
        playbooks = len({each.playbook for each in view.hypotheses})
        self._tell.fact(
            "LOOKED", f"{probes_of(view)} read-only probes, {len(view.hypotheses)} hypotheses of {playbooks} "
            f"playbooks, {seconds:.2f} s from alert to causes",
        )  # fmt: skip
        others = 0
        for rank, each in enumerate(view.hypotheses, 1):
            if rank == 1 or each.verdict in ("confirmed", "contradictory"):
                self._tell.page([hypothesis_field(rank, each, whole=True)])
            elif others < OTHERS_SHOWN:
                others += 1
                self._tell.page([_in_short(rank, each)])
        rest = len(view.hypotheses) - 1 - others
        if rest > 0 and others == OTHERS_SHOWN:
            self._tell.fact("", Line(f"and {rest} more, each with its own grounds", "dim"))
        return view

    def _answered(self, decision: DecisionView) -> IncidentView:
        tell = self._tell
        tell.part("The packet")
        whole = self._stage.desk.decision(decision.id)
        tell.page(list(decision_page(whole, datetime.now(UTC))))
        yes = not self._asks or tell.ask(question(whole))
        if not self._asks:
            tell.fact("APPROVED", Line(f"by {OPERATOR}, because this is a demo and nobody was asked", "warn"))
        if not self._counts(whole, yes=yes):
            return self._stage.desk.incident(whole.incident)
        if yes:
            return self._recovery(whole.incident)
        tell.fact("DENIED", Line("You said no, so nothing was sent; the fault is taken back.", "warn"))
        return self._wait(whole.incident, TRIAGE_LIMIT_S, ("awaiting_approval",))

    def _counts(self, whole: DecisionView, *, yes: bool) -> bool:
        """Give the answer; False, and told, where it came too late: expired, or somebody else was quicker."""
        desk = self._stage.desk
        try:
            if yes:
                desk.approve(whole.id, whole.digest, "read, and agreed" if self._asks else "demo")
            else:
                desk.deny(whole.id, whole.digest, "declined at the terminal")
        except Refusal as no:
            if no.code not in (Code.GONE, Code.CONFLICT):
                raise
            self._tell.fact("TOO LATE", Line(f"{no.message} {no.remedy}", "warn"))
            return False
        return True

    def _recovery(self, incident: str) -> IncidentView:
        self._tell.part("The act, and the proof")
        view = self._stage.desk.incident(incident)
        told = 0
        deadline = time.monotonic() + VERIFY_LIMIT_S
        with self._tell.busy("acting") as moving:
            while view.status in ("awaiting_approval", "acting", "verifying"):
                moving(self._moment(view))
                self._in_time(deadline, view)
                time.sleep(POLL_S)
                view = self._stage.desk.incident(incident)
                told = self._told(view, told)
        return self._drafted(view)

    def _told(self, view: IncidentView, told: int) -> int:
        """Tell what is new in the timeline; the number of the last event told."""
        for event in view.timeline:
            if event.seq > told and event.event in RATCHET_SAYS:
                self._tell.fact(clock(event.time), event.sentence)
        return max(event.seq for event in view.timeline)

    def _moment(self, view: IncidentView) -> str:
        proof = view.verification
        samples = f"{proof.samples} good samples over {proof.sustained_seconds:.1f} s" if proof else "acting"
        return f"{in_words(self._stage.lab.shop.sample(1.0))}  ·  {samples}"

    def _drafted(self, view: IncidentView) -> IncidentView:
        deadline = time.monotonic() + DRAFT_LIMIT_S
        while view.status == "resolved" and view.draft is None and time.monotonic() < deadline:
            time.sleep(POLL_S)
            view = self._stage.desk.incident(view.id)
        return view

    def _ended(self, view: IncidentView) -> Outcome:
        """How it ended, judged while the fault's own undo has not yet helped."""
        lab, tell = self._stage.lab, self._tell
        recovered = view.status == "resolved"
        outcome = outcome_of(
            view, shop_is_well=recovered and not unmet(WELL, lab), untouched=lab.bystanders.untouched()
        )
        marks = half_seconds(lab.shop.requests_since(self._begun), self._begun, time.monotonic())
        tell.strip("SHOP", marks)
        tell.fact("", Line("a mark for every half second: served, or somebody was turned away", "dim"))
        if recovered:
            tell.fact("NOW", Line(in_words(lab.shop.sample(1.2)), "good" if outcome.recovered else "bad"))
        untouched = outcome.untouched_bystanders
        words = "untouched: same sessions, same transactions" if untouched else "TOUCHED"
        tell.fact("BYSTANDERS", Line(words, "good" if untouched else "bad"))
        self._verdict(view, outcome)
        return outcome

    def _verdict(self, view: IncidentView, outcome: Outcome) -> None:
        if view.handoff is not None:
            self._tell.page(handoff_page(view.handoff))
            return
        seconds = outcome.grant_to_effect_seconds
        quick = f", {seconds:.2f} s from approval to effect" if seconds is not None else ""
        word = Line(f"{outcome.cause}, {share(outcome.confidence)} sure{quick}", "good" if outcome.recovered else "bad")
        self._tell.page([field("RECOVERED" if outcome.recovered else "NOT RECOVERED", word)])
        if outcome.draft is not None:
            draft = outcome.draft
            self._tell.fact("DRAFT", f"{draft.id}: {draft.series} {draft.version}, waits for a person to read it")

    def _wait(self, incident: str, limit: float, while_in: tuple[str, ...]) -> IncidentView:
        deadline = time.monotonic() + limit
        while True:
            view = self._stage.desk.incident(incident)
            if view.status not in while_in:
                return view
            self._in_time(deadline, view)
            time.sleep(POLL_S / 2)

    @staticmethod
    def _in_time(deadline: float, view: IncidentView) -> None:
        if time.monotonic() > deadline:
            raise Refusal(Code.FAILED, f"{view.id} is still {view.status} and should not be.", "Run it again.")

    @staticmethod
    def _need(missing: tuple[FaultCheck, ...], words: str) -> None:
        if missing:
            names = ", ".join(check.uses for check in missing)
            raise Refusal(Code.FAILED, f"{words} Not met in time: {names}.", "Run it again; is the machine busy?")


def _in_short(rank: int, each: HypothesisView) -> Field:
    """A hypothesis that does not lead: its title, and the beginning of what speaks against it."""
    against = next(iter(each.against_said or each.against), "")
    begun = against if len(against) <= SHORT else against[:SHORT] + ELLIPSIS
    return field(f"{rank}. {each.verdict}", Line(each.title, "dim"), Line(f"- {begun}" if begun else "-", "dim"))
