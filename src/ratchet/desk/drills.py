"""Drills as people begin and end them, and the runs that are kept of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from ratchet import __version__
from ratchet.desk.certifying import Certifying, settled, tools_digest
from ratchet.desk.hands_over import HandsOver, person
from ratchet.desk.run_check import RunCheck
from ratchet.desk.trials import ANOTHER_GROUP
from ratchet.domain.alert import Alert
from ratchet.domain.certificate import Certificate, Certification, Proof
from ratchet.domain.drill import Drill, DrillRequest, Environment, Ground, Rejudged, Run
from ratchet.domain.errors import conflict, forbidden, invalid, not_found
from ratchet.domain.evidence import Answer, Evidence, ProbeCall
from ratchet.domain.fault import Fault
from ratchet.domain.hypothesis import Conclusion
from ratchet.domain.incident import LIVE, Incident
from ratchet.domain.noun import digest_of
from ratchet.domain.observed import Observed, observe
from ratchet.domain.ports import Clock, Correlate, Joinable, Joining, Opening, Shelf, Store, Toolbox
from ratchet.domain.protocol import ATTEMPTS
from ratchet.domain.standing import StandingGrant, servers_of
from ratchet.domain.target import Target
from ratchet.security.principal import Principal, require
from ratchet.triage.correlate import correlator

SOURCE = "drill"
LISTED_DRILLS = 200
Conclude = Callable[[Incident, Sequence[Evidence]], Conclusion]


@dataclass(frozen=True)
class Drills:
    """What drills need of the house; wiring puts it together."""

    store: Store
    shelf: Shelf
    toolbox: Toolbox
    faults: Mapping[str, Fault]
    hands_over: HandsOver
    conclude: Conclude
    clock: Clock
    new_id: Callable[[], str]
    nudge: Callable[[], None]

    def target(self, name: str) -> Target:
        """The registered target of that name, provided that faults may be caused there."""
        found = next((t for t in self.store.targets() if t.name == name), None)
        if found is None:
            raise not_found("target", name, f"Register it: ratchet target add {name} ... --tag chaos")
        if not found.chaos:
            remedy = f"If it may be broken on purpose: ratchet target add {name} ... --tag chaos"
            raise forbidden(f"Target {name} is not tagged chaos, and no fault is caused there.", remedy)
        return found

    def text_of(self, incident: Incident) -> dict[str, str]:
        """The pin and digest of the text that concluded; the active one of the fault's series where none did."""
        leading = incident.conclusion.leading if incident.conclusion else None
        fault = self.faults.get(incident.fault or "")
        if leading is not None:
            version = self.shelf.version(leading.version_id)[0]
        else:
            version = self.store.series(fault.spec.series).active if fault is not None else None
        return {"playbook": version.pin, "playbook_digest": version.digest} if version is not None else {}

    def drill(self, reference: str) -> Incident:
        """The incident of a drill; a refusal for any other."""
        incident = self.store.incident(reference)
        if incident.origin != "drill":
            raise conflict(f"{incident.name} is not a drill.", "Grade and end drills only.")
        return incident


class LocalPractice:
    """Drills for one principal, in process; implements `ratchet.desk.drill_contract.Practice`."""

    def __init__(self, drills: Drills, who: Principal) -> None:
        self._d = drills
        self._who = who

    def ground(self, target: str) -> Ground:
        require(self._who, "read")
        found = self._d.target(target)
        toolbox = self._d.toolbox
        seen = toolbox.look([ProbeCall(probe=name, target=target) for name in ("postgres.settings", "postgres.ping")])
        settings, ping = ([dict(row) for row in each.rows] if each.answer is Answer.OK else [] for each in seen)
        kept = settled(settings)
        environment = Environment(
            server_version=str(ping[0].get("version_num", "")) if ping else "",
            settings_hash=digest_of([[row.get("name"), row.get("setting")] for row in kept]) if kept else "",
            tools_digest=tools_digest(toolbox),
            ratchet_version=__version__,
        )
        return Ground(
            target=target, address=found.address, system_identifier=found.system_identifier, environment=environment
        )

    def start(self, request: DrillRequest) -> Drill:
        own_leave = request.remediate and not request.unattended
        require(self._who, "answer" if own_leave else "operate")
        by = person(self._who, "start a drill")
        fault = self._d.faults.get(request.fault)
        if fault is None:
            raise not_found("fault", request.fault, "List them: ratchet fault list")
        target = self._d.target(request.target)
        self._refuse_second(target)
        incident_id = self._d.new_id()
        grants = self._grants(fault, target, incident_id, by) if own_leave else ()
        alert = _alert(fault, request, target, (self._d.clock(), incident_id))
        opened = self._d.store.receive([alert], self._as_drill(incident_id, fault, quiet=request.quiet), by)
        self._d.nudge()
        return Drill(
            incident=opened[0].name, fault=fault.id, target=target.name, strength=request.strength,
            remediate=request.remediate, grants=grants,
        )  # fmt: skip

    def observed(self, reference: str) -> Observed:
        require(self._who, "read")
        incident = self._d.drill(reference)
        now = self._d.clock()
        seen = observe(incident, (), now)
        # Whoever waits for the end asks often; the timeline, which is long, says something only once it is there.
        if incident.verified is not None and (seen.resting or seen.asked is not None):
            seen = observe(incident, self._d.store.timeline(incident.id), now)
        return seen if seen.playbook_digest else seen.model_copy(update=self._d.text_of(incident))

    def rejudge(self, reference: str) -> Rejudged:
        require(self._who, "read")
        incident = self._d.drill(reference)
        if incident.conclusion is None:
            raise conflict(f"{incident.name} has no conclusion to be judged again.", "Wait until it is concluded.")
        kept = self._d.store.evidence(incident.evidence)
        altered = [each.id for each in kept if each.id != each.content_id]
        if altered or len(kept) != len(incident.evidence):
            return Rejudged(same=False, because=f"evidence is altered or lost: {', '.join(altered) or 'some is gone'}")
        return compare(incident.conclusion, self._d.conclude(incident, kept), len(kept))

    def end(self, reference: str, reason: str) -> None:
        require(self._who, "operate")
        by = person(self._who, "end a drill")
        incident = self._d.drill(reference)
        for grant in self._d.store.standing_grants():
            if grant.drill == incident.id and not grant.revoked:
                self._d.store.revoke_standing(grant.id, "its drill is over", by)
        if incident.status in LIVE:
            self._d.hands_over.take(self._who, reference, reason)
        if self._d.store.incident(reference).status != "closed":
            self._d.hands_over.close(self._who, reference, reason)
        self._d.nudge()

    def keep(self, run: Run) -> None:
        require(self._who, "operate")
        by = person(self._who, "keep a run")
        RunCheck(self._d.store, self._d.faults, self._d.clock()).check(run)
        self._d.store.put_run(run, by)

    def fire_again(self, reference: str) -> str:
        require(self._who, "answer")
        by = person(self._who, "fire the alert of a drill again")
        first = self._d.drill(reference)
        fault = self._d.faults.get(first.fault or "")
        if fault is None or first.status not in LIVE:
            raise conflict(f"{first.name} is no drill under way.", "Fire again while the drill is under way.")
        target = self._d.target(first.target or "")
        second = self._d.new_id()
        if any(grant.drill == first.id for grant in self._d.store.standing_grants()):
            self._grants(fault, target, second, by)
        self._d.store.receive([first.alert], correlator(self._d.store.targets(), self._d.new_id), by)
        update = {"fingerprint": sha256(second.encode()).hexdigest()[:16], "group_key": f"{ANOTHER_GROUP}{second}"}
        other = first.alert.model_copy(update=update)
        opened = self._d.store.receive([other], self._as_drill(second, fault), by)
        self._d.nudge()
        return opened[0].name

    def certify(self, found: Certification) -> Certificate:
        require(self._who, "answer")
        by = person(self._who, "certify a playbook")
        self._d.target(found.target)
        return self._certifying().issue(found, self._d.faults, by)

    def certificates(self, series: str = "") -> list[Proof]:
        require(self._who, "read")
        return self._certifying().all(series)

    def _certifying(self) -> Certifying:
        return Certifying(self._d.store, self._d.shelf, self._d.toolbox, self._d.clock, self._d.new_id)

    def runs(self, *, since: datetime | None = None, fault: str = "", batch: str = "", limit: int = 1000) -> list[Run]:
        require(self._who, "read")
        if since is not None and since.tzinfo is None:
            raise invalid("A moment without a time zone is not a moment.", "Write it as 2026-11-20T02:03:04Z.")
        return self._d.store.runs(since=since, fault=fault, batch=batch, limit=limit)

    def _refuse_second(self, target: Target) -> None:
        """Two drills on one server would be graded for each other's effects."""
        groups = {each.name: each.conflict_group for each in self._d.store.targets()}
        live = self._d.store.incidents(status=sorted(LIVE), limit=LISTED_DRILLS).items
        other = next(
            (i for i in live if i.origin == "drill" and groups.get(i.target or "") == target.conflict_group), None
        )
        if other is not None:
            remedy = f"Let it come to its end, or end it: ratchet fault teardown --incident {other.name}"
            raise conflict(f"{other.name} is a drill on {target.name} already.", remedy)

    def _as_drill(self, incident_id: str, fault: Fault, *, quiet: bool = False) -> Correlate:
        """The ordinary way into the house; only what it opens is marked for what it is."""
        usual = correlator(self._d.store.targets(), lambda: incident_id)
        chaos = {each.name for each in self._d.store.targets() if each.chaos}

        def correlate(alert: Alert, known: Sequence[Joinable]) -> Opening | Joining | None:
            found = usual(alert, known)
            if not isinstance(found, Opening) or (found.target is not None and found.target not in chaos):
                raise conflict("The drill's alert does not lead to a target of its own.", "Look at the open incidents.")
            return found.model_copy(update={"origin": "drill", "fault": fault.id, "quiet": quiet})

        return correlate

    def _grants(self, fault: Fault, target: Target, incident_id: str, by: str) -> tuple[str, ...]:
        """A yes in advance to every step that is right for this fault's cause, on its own servers, in this drill."""
        group = [each for each in self._d.store.targets() if each.conflict_group == target.conflict_group]
        now, given = self._d.clock(), list[str]()
        for version, playbook in self._d.shelf.candidates(target.kind):
            rules = [rule for rule in playbook.spec.triage.hypotheses if rule.cause == fault.spec.cause]
            for step in dict.fromkeys(name for rule in rules for name in rule.then if name in playbook.spec.steps):
                grant = StandingGrant(
                    id="sg_" + self._d.new_id(), given_by=by, given_at=now, reason=f"drill of {fault.id}",
                    series=version.series, playbook_digest=version.digest, step=step,
                    targets=tuple(each.name for each in group), servers=servers_of(group), uses=ATTEMPTS, cap=1000,
                    expires_at=now + timedelta(seconds=fault.spec.ttl), fault=fault.id, drill=incident_id,
                )  # fmt: skip
                self._d.store.put_standing(grant, by)
                given.append(grant.id)
        return tuple(given)


def _alert(fault: Fault, request: DrillRequest, target: Target, when: tuple[datetime, str]) -> Alert:
    """What a monitor would say of it; nothing in it tells that it is a drill."""
    said = fault.spec.alert.at(request.strength)
    address, _, database = target.address.partition("/")
    now, incident_id = when
    return Alert(
        source=SOURCE, fingerprint=sha256(incident_id.encode()).hexdigest()[:16], starts_at=now,
        labels={"instance": address, "datname": database, **said.labels}, annotations=dict(said.annotations),
    )  # fmt: skip


def compare(concluded: Conclusion, again: Conclusion, looks: int) -> Rejudged:
    """Whether two conclusions say the same of cause, objects and every single hypothesis."""
    for name, before, after in (
        ("outcome", concluded.outcome, again.outcome),
        ("cause", concluded.cause, again.cause),
        ("objects", _objects(concluded), _objects(again)),
        ("verdicts", _verdicts(concluded), _verdicts(again)),
    ):
        if before != after:
            return Rejudged(same=False, because=f"judged again, the {name} is another: {after}, and was {before}"[:400])
    return Rejudged(same=True, because=f"{looks} kept looks, judged again, say the same")


def _objects(conclusion: Conclusion) -> list[tuple[str, str]]:
    leading = conclusion.leading
    return [(each.kind, each.id) for each in leading.objects] if leading is not None else []


def _verdicts(conclusion: Conclusion) -> list[tuple[str, str, str]]:
    return sorted((each.playbook, each.id, each.verdict) for each in conclusion.hypotheses)
