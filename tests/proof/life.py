"""One Ratchet over the world: the real store, desk, engine and performer, which can be killed at every named place."""

import atexit
import itertools
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from ratchet.desk.alerts import Intake
from ratchet.desk.automation import Automation
from ratchet.desk.decisions import Answers
from ratchet.desk.hands_over import HandsOver
from ratchet.domain.alert import Alert
from ratchet.domain.certificate import Certificate, environment_of
from ratchet.domain.errors import Code, Refusal
from ratchet.domain.evidence import Evidence
from ratchet.domain.hypothesis import Conclusion, Hypothesis
from ratchet.domain.incident import Incident
from ratchet.domain.playbook import Playbook
from ratchet.domain.policy import Policy
from ratchet.domain.series import Seeded, Version, VersionDrafted
from ratchet.domain.standing import StandingGrant
from ratchet.domain.target import SecretRef, Target
from ratchet.domain.timeline import Looked
from ratchet.execution.engine import Engine, Parts
from ratchet.execution.packets import Asking
from ratchet.execution.perform import Performer
from ratchet.execution.planner import Planner
from ratchet.execution.restart import void_approvals
from ratchet.execution.undo import Undoing
from ratchet.security.principal import Principal
from ratchet.security.redact import Redactor
from ratchet.store import anchor
from ratchet.store.store import EventStore
from ratchet.wiring.clock import Machine, SteadyClock
from tests.proof.world import EPOCH, PROBE, SERVER_VERSION, TOOLS, World

DEADLINE = 10.0
COOLDOWN = 60.0
EXPIRES = 600.0
PEOPLE = ("ana", "ben", "cem")
BOOKS = {"A": ("pbs_session", ("end",)), "B": ("pbs_count", ("first", "second")), "C": ("pbs_slot", ("drop",))}
"""By class of act: the series, and its steps in order."""
SHM = Path("/dev/shm") if Path("/dev/shm").is_dir() else None
POLICY = Policy.model_validate({
    "effects": {
        effect: {"quorum": 1, "expires": EXPIRES} for effect in ("read", "reversible", "disruptive", "destructive")
    },
})  # fmt: skip


class Killed(BaseException):
    """The process ended here; nothing may catch this."""


def playbook(klass: Any, version: str = "1.0", quorum: int = 1) -> Playbook:
    series, steps = BOOKS[klass]
    risk = {"blast_radius": "one", "user_impact": "none", "data_risk": "none"}
    step = {
        "title": f"Do {klass}", "uses": TOOLS[klass], "effect": "disruptive", "preview": {"require": "true"},
        "approval": {"quorum": quorum, "expires": EXPIRES}, "risk": risk, "timeout": DEADLINE, "cooldown": COOLDOWN,
        "rollback": {"possible": False}, "args": {"undoable": klass == "B"},
    }  # fmt: skip
    return Playbook.model_validate({
        "apiVersion": "ratchet/v1", "kind": "Playbook",
        "metadata": {"series": series, "version": version, "title": f"Trouble of {klass}", "name": f"Book {klass}"},
        "spec": {
            "symptoms": ["trouble"], "probes": {"t": {"uses": PROBE}},
            "preconditions": [{"id": "there", "probe": "t", "expect": "t.first.bad == 1", "else": "escalate"}],
            "triage": {"hypotheses": [{
                "id": "one", "title": "It is so", "cause": "x", "likelihood": 0.5, "confirm": "true",
                "refute": "false", "then": list(steps),
            }]},
            "steps": dict.fromkeys(steps, step),
            "verify": {
                "wait_before": 1, "every": 2, "sustain": 6, "min_samples": 3, "give_up_after": 40,
                "criteria": [{"id": "gone", "probe": "t", "expect": "t.first.bad == 0"}],
            },
            "escalation": {"to": "user:default/ana", "ask": "what now, please?"},
        },
    })  # fmt: skip


QUORUM = {"A": 1, "B": 2, "C": 1}
BOUND = {
    f"v-{klass}-{number}": playbook(klass, f"1.{number}", QUORUM[klass]) for klass in BOOKS for number in (0, 1)
}  # fmt: skip


def version(version_id: str) -> Version:
    book = BOUND[version_id]
    return Version(
        id=version_id, series=book.metadata.series, version=book.metadata.version, name="x", title="x",
        source="system", text=version_id, digest=f"sha256:{version_id}", created_at=EPOCH, created_by="user:eve",
    )  # fmt: skip


@cache
def _template() -> Path:
    """A state directory with targets and playbooks, made once and copied."""
    home = Path(tempfile.mkdtemp(prefix="ratchet-proof-", dir=SHM)) / "template"
    atexit.register(shutil.rmtree, home.parent, ignore_errors=True)
    ids = (f"id{n}" for n in itertools.count())
    with EventStore.open_at(home, lambda: EPOCH, lambda: next(ids)) as store:
        ref = SecretRef(kind="env", name="X")
        for name, of in (("db", None), ("db-r", "db"), ("other", None)):
            store.put_target(Target(name=name, kind="postgres", diag=ref, act=ref, replica_of=of, tags=("chaos",)), "x")
        for klass, (series, _) in BOOKS.items():
            events = (
                Seeded(version=version(f"v-{klass}-0"), active=True), VersionDrafted(version=version(f"v-{klass}-1"))
            )  # fmt: skip
            store.commit_series(store.series(series), *events, by="ratchet")
    return home


class Shelf:
    def candidates(self, kind: str) -> list[tuple[Version, Playbook]]:
        return []

    def left_out(self) -> list[Refusal]:
        return []

    def version(self, version_id: str) -> tuple[Version, Playbook]:
        return version(version_id), BOUND[version_id]


class Triage:
    """Concludes what the alert's label says; triage is proved elsewhere."""

    def __init__(self, life: "Life") -> None:
        self._life = life

    def look(self, incident: Incident) -> tuple[Looked, list[Evidence]]:
        return Looked(candidates=("x",), evidence=(), answers={}, elapsed_ms=1.0), []

    def conclude(self, incident: Incident, evidence: Sequence[Evidence]) -> Conclusion:
        klass = incident.alert.labels["klass"]
        series, steps = BOOKS[klass]
        active = self._life.store.series(series).active
        assert active is not None
        leading = Hypothesis(
            id="one", playbook=active.pin, version_id=active.id, title="It is so", cause="x", verdict="confirmed",
            prior=0.5, confidence=0.9, then=steps,
        )  # fmt: skip
        return Conclusion(outcome="cause", cause="x", hypotheses=(leading,), chosen=0, why="so")


class Life:
    """The state on disk, the world, and the process that lives now."""

    def __init__(self, root: Path | None = None) -> None:
        self.world = World()
        self.home = (root or Path(tempfile.mkdtemp(prefix="ratchet-proof-", dir=SHM))) / "home"
        shutil.copytree(_template(), self.home)
        self.seen: Counter[str] = Counter()
        self.kill_at = ""
        self.between: tuple[str, Callable[[], None]] | None = None
        """A place, and what somebody else does just then."""
        self.watch: Callable[[str], None] = lambda place: None
        self.anchor_down = False
        self.boot_name = "one"
        self._ids = itertools.count()
        self._alerts = itertools.count()
        self._write = anchor.replace_private
        anchor.replace_private = self._anchored
        self.boot()

    def _anchored(self, path: Path, data: bytes) -> None:
        if self.anchor_down:
            raise Refusal(Code.UNAVAILABLE, "The anchor's device is full.", "Make room.")
        self._write(path, data)

    # -- the process

    def boot(self) -> None:
        """A new process over the same state, as `wiring` puts it together."""
        self.store, self.clock = self._opened()
        self.engine = self._engine(self.store, self.at)
        self.answers = Answers(self.store, self.clock, str)
        self.hands = HandsOver(self.store, Shelf(), self.clock, frozenset({"x"}), POLICY.impact, str)
        self.automation = Automation(self.store)
        self.intake = Intake(self.store, self.store.targets, self._new_id, Redactor([], b"proof"))

    def _opened(self) -> tuple[EventStore, SteadyClock]:
        machine = Machine(self.world.wall, self.world.monotonic, lambda: self.boot_name)
        clock = SteadyClock(self.home / "clock", machine)
        store = EventStore.open_at(self.home, clock, self._new_id)
        if clock.never_before(store.high_water()):
            void_approvals(store, clock)
        self.world.ours = clock
        return store, clock

    def _new_id(self) -> str:
        return f"01{next(self._ids):06d}"

    def _engine(self, store: EventStore, at: Callable[[str], None]) -> Engine:
        world: Any = self.world
        clock = self.world.ours
        return Engine(
            Parts(
                store=store, shelf=Shelf(), toolbox=world, investigator=Triage(self), planner=Planner(world, POLICY),
                asking=Asking(world, clock, self._new_id), undoing=Undoing(world, clock, self._new_id),
                performer=Performer(world, store, clock, POLICY, at), draft=lambda incident: None,
                targets=store.targets, clock=clock, at=at,
            )
        )  # fmt: skip

    def crash(self, machine: str = "") -> None:
        """Nothing is said, sealed or closed in order; then a new process begins, on the same boot or another one."""
        self.boot_name = machine or self.boot_name
        self.store._journal.connections.close()
        self.boot()

    def end(self) -> None:
        self.store._journal.connections.close()
        anchor.replace_private = self._write
        shutil.rmtree(self.home.parent, ignore_errors=True)

    def at(self, place: str) -> None:
        self.seen[place] += 1
        if self.between is not None and self.between[0] == place:
            (_, deed), self.between = self.between, None
            deed()
        self.watch(place)
        if self.kill_at == place:
            self.kill_at = ""
            raise Killed

    def run(self) -> None:
        """What the worker does with what is due now, a crash included."""
        for _ in range(6):
            due = self.store.due(self.clock())
            if not due:
                return
            for one in due:
                try:
                    self.engine.advance(one.incident)
                except Killed:
                    self.seen["killed"] += 1
                    self.crash()
                    break

    def usurp(self) -> None:
        """Another process takes over while ours is stopped (SIGSTOP) until long after every deadline."""
        ours = (self.world.ours, self.store)
        self.store, clock = self._opened()
        engine = self._engine(self.store, self.watch)
        mood, self.world.mood = self.world.mood, "well"
        for wait in (0, DEADLINE + 3, 5):
            self.world.passes(wait)
            for one in self.store.due(clock()):
                engine.advance(one.incident)
        self.store._journal.connections.close()
        self.world.mood = mood
        self.world.ours, self.store = ours

    # -- people and monitors

    def alert(self, klass: str = "A", target: str = "db") -> str:
        """Trouble, and the alert that says so; the id of its incident."""
        self.world.breaks_again()
        number = next(self._alerts)
        return self._receive(self._an_alert(number, klass, target, "firing"))

    def _an_alert(self, number: int, klass: str, target: str, status: Any) -> Alert:
        labels = {"klass": klass, "target": target, "alertname": f"x{number}"}
        return Alert(
            source="am", fingerprint=f"f{number}", starts_at=EPOCH + timedelta(seconds=number), status=status,
            labels=labels,
        )  # fmt: skip

    def _receive(self, alert: Alert) -> str:
        names = self.intake.receive([alert], "service:am")
        return self.store.incident(names[0]).id if names else ""

    def repeat(self, incident: str, status: str = "firing") -> None:
        alert = self.store.incident(incident).alert
        self._receive(alert.model_copy(update={"status": status, "annotations": {"n": str(next(self._alerts))}}))

    def approve(self, incident: str, *people: str, yes: bool = True, digest: str | None = None) -> bool:
        """Answer what is asked; whether every answer was accepted."""
        packet = self.store.incident(incident).packet
        if packet is None:
            return False
        ok = True
        for name in people:
            who = Principal(kind="person", name=name, role="approver", channel="test")
            try:
                self.answers.answer(who, packet.id, digest or packet.digest, (yes, "said so"))
            except Refusal:
                ok = False
        return ok

    def person(self, name: str = "ana") -> Principal:
        return Principal(kind="person", name=name, role="approver", channel="test")

    def take(self, incident: str) -> None:
        with suppress(Refusal):
            self.hands.take(self.person(), incident, "mine now")

    def hand_back(self, incident: str) -> None:
        with suppress(Refusal):
            self.hands.hand_back(self.person(), incident, "yours again")

    def grant_ahead(
        self, klass: str, uses: int = 2, days: float = 30, certificate: str | None = None, **more: Any
    ) -> StandingGrant:
        series, steps = BOOKS[klass]
        active = self.store.series(series).active
        assert active is not None
        now = self.clock()
        standing = StandingGrant(
            id=f"sg_{self._new_id()}", given_by="user:ana", given_at=now, reason="weekly", series=series,
            playbook_digest=active.digest, step=steps[0], tag="chaos", uses=uses, expires_at=now + timedelta(days=days),
            certificate=certificate, **more,
        )  # fmt: skip
        self.store.put_standing(standing, "user:ana")
        return standing

    def certify(self, klass: str, **changes: Any) -> Certificate:
        """A certificate of the active text, given on a server like those of the world."""
        active = self.store.series(BOOKS[klass][0]).active
        assert active is not None
        now = self.clock()
        fields = {
            "id": f"cert_{self._new_id()}", "series": active.series, "version_id": active.id, "issued_at": now,
            "playbook_digest": active.digest, "expires_at": now + timedelta(days=30), "faults": ("db-x",),
            "causes": ("x",), "seeds": (1,), "environment": environment_of(SERVER_VERSION), "passed": ("faults",),
            "runs": ("a1b2c3d4",), **changes,
        }  # fmt: skip
        made = Certificate.model_validate(fields)
        self.store.put_certificate(made, "ratchet")
        return made

    def story(self, klass: str = "A", target: str = "db", people: Sequence[str] = ("ana", "ben")) -> str:
        """Alert, question, answers, act and proof, as far as moods, crashes and others let it come."""
        incident = self.alert(klass, target)
        self.run()
        for number in range(len(BOOKS[klass][1])):
            if number:
                self.settle(DEADLINE + COOLDOWN + 2)
            self.approve(incident, *people)
            self.run()
        self.settle(16)
        return incident

    def settle(self, seconds: float) -> None:
        """Let time pass in the worker's steps."""
        until = self.world.steady + seconds
        while self.world.steady < until:
            self.world.passes(2)
            self.run()

    def edit(self, incident: str, where: str) -> bool:
        """Somebody edits the packet of an incident that waits: `seen` (checkpoint), `kept` (its own row), or `both`."""
        packet = self.store.incident(incident).packet
        if packet is None:
            return False
        act = packet.act.model_copy(update={"args": {"pid": 1}})
        body = packet.model_copy(update={"act": act, "title": "Everything"})
        if where == "both":
            body = body.model_copy(update={"action_digest": act.digest})
        with self.store._journal.connections.write() as connection:
            if where in ("seen", "both"):
                row = connection.exec_driver_sql("SELECT body FROM incidents WHERE id = ?", (incident,)).one()
                whole = {**json.loads(row[0]), "packet": body.model_dump(mode="json")}
                connection.exec_driver_sql("UPDATE incidents SET body = ? WHERE id = ?", (json.dumps(whole), incident))
            if where in ("kept", "both"):
                row_ = (body.model_dump_json(), packet.id)
                connection.exec_driver_sql("UPDATE decisions SET packet = ? WHERE id = ?", row_)
        return True


@contextmanager
def living(root: Path | None = None) -> Iterator[Life]:
    """A life for one test."""
    life = Life(root)
    try:
        yield life
    finally:
        life.end()
