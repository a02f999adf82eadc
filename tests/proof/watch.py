"""The invariants of SAFETY.md 1.6, checked from outside: raw events, the target's ledger and time that nobody can set.

Nothing here asks the code that is being proved what it thinks: quorum, epochs, digests and windows are told anew.
"""

import json
import sqlite3
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ratchet.domain.gate import Grant
from ratchet.domain.noun import digest_of
from ratchet.domain.plan import Act
from tests.proof.life import BOOKS, COOLDOWN, DEADLINE, EXPIRES, Life
from tests.proof.world import digest

SLACK = 1.0
"""Steady seconds that the looks between two checks may take."""
MARGIN = timedelta(seconds=2)
ENDS = ("resolved", "closed", "escalated", "held")


class Broken(AssertionError):
    """An invariant does not hold."""


@dataclass
class Told:
    """One incident, as its raw events tell it."""

    events: list[dict[str, Any]] = field(default_factory=list)
    epoch: int = 0
    owner: str = "ratchet"
    alerts: dict[str, str] = field(default_factory=dict)
    dead: set[str] = field(default_factory=set)
    """Decisions that were denied, expired or superseded."""
    asked: dict[str, tuple[dict[str, Any], float, int]] = field(default_factory=dict)
    """Decision -> packet, steady second, epoch."""
    yes: dict[str, dict[str, float]] = field(default_factory=lambda: defaultdict(dict))
    """Decision -> person -> steady second."""
    covered: dict[str, str] = field(default_factory=dict)
    ops: dict[str, dict[str, Any]] = field(default_factory=dict)
    over: bool = False

    def open(self, op: dict[str, Any]) -> bool:
        """Whether an operation may still land, or nobody knows whether it did and no person has ended that."""
        return op["state"] in ("intended", "unknown") or (op["state"] == "unsure" and not self.over)


class Watch:
    """Follows one life. Every broken invariant is raised at the moment it breaks, by its name."""

    def __init__(self, life: Life) -> None:
        self.life, self.world = life, life.world
        self.told: dict[str, Told] = defaultdict(Told)
        self.position = 0
        self.paused = False
        self.active = {series: f"sha256:v-{klass}-0" for klass, (series, _) in BOOKS.items()}
        self.standing: dict[str, dict[str, Any]] = {}
        self.charged: dict[str, str] = {}
        self.sent_at: dict[str, float] = {}
        """Group -> steady second of the last intent's deadline, from which it cools down."""
        self.last_look: dict[str, str] = {}
        """Operation -> why it must not be sent any more, as it stood after the anchor."""
        self.tampered = False
        self.sends: Counter[str] = Counter()
        life.watch, self.world.on_send, self.world.on_took = self.place, self.send, self.took
        self._db = sqlite3.connect(life.home / "ratchet.db", isolation_level=None)
        self.read()

    def end(self) -> None:
        self._db.close()

    # -- reading what is durable

    def read(self) -> None:
        """Take in every new event, from its stored bytes."""
        query = "SELECT position, stored FROM events WHERE position > ? ORDER BY position"
        self.whole = False
        for position, stored in self._db.execute(query, (self.position,)).fetchall():
            self.position = position
            entry = json.loads(stored)
            kind, _, name = entry["stream"].partition("/")
            if kind == "incident":
                self._incident(self.told[name], entry["body"])
            elif kind == "series" and entry["body"]["kind"] == "activated":
                self.active[name] = f"sha256:{entry['body']['version_id']}"
            elif kind == "house":
                self._house(entry["body"])
        self.whole = True

    whole = True
    """Whether everything read so far held."""

    def _house(self, body: dict[str, Any]) -> None:
        match body["kind"]:
            case "paused" | "resumed":
                self.paused = body["kind"] == "paused"
            case "standing_given":
                self.standing[body["standing"]["id"]] = {**body["standing"], "dead": ""}
            case "standing_revoked":
                self.standing[body["id"]]["dead"] = "revoked"
            case "certificate_revoked":
                for standing in self.standing.values():
                    standing["dead"] = standing["dead"] or (standing.get("certificate") == body["id"] and "unproved")
            case "standing_charged":
                self.charged[body["op_id"]] = body["id"]
                self.standing[body["id"]]["uses"] -= 1
                need(self.standing[body["id"]]["uses"] >= 0, "I2 a standing grant was charged beyond its uses")
            case _:
                pass

    def _incident(self, told: Told, body: dict[str, Any]) -> None:  # noqa: C901, PLR0912 - a line per event
        told.events.append(body)
        match body["kind"]:
            case "opened" | "joined":
                told.alerts[body["alert"]["fingerprint"]] = body["alert"]["status"]
            case "asked":
                told.dead |= set(told.asked)
                told.asked[body["packet"]["id"]] = (body["packet"], self.world.steady, told.epoch)
            case "granted":
                self._granted(told, body["approval"])
            case "covered":
                told.covered[body["decision"]] = body["standing"]
            case "refused" | "expired" | "superseded":
                told.dead.add(body["decision"])
            case "taken" | "handed_back":
                told.epoch += 1
                told.owner = body["by"] if body["kind"] == "taken" else "ratchet"
            case "escalated":
                told.owner = "person"
            case "intended":
                self._intended(told, body)
            case "acted" | "doubted" | "settled":
                self._outcome(told, body)
            case "verified":
                self._verified(told, body)
            case "resolved" | "closed":
                told.over = True
            case "sampled":
                self._sampled(told)
            case _:
                pass

    # -- people

    def _granted(self, told: Told, approval: dict[str, Any]) -> None:
        packet, asked, _ = told.asked[approval["decision"]]
        need(self.tampered or approval["digest"] == digest_of(packet), "I7 an approval names other bytes")
        need(self.world.steady - asked < EXPIRES + SLACK, "I5 an approval was taken after its request expired")
        need(approval["decision"] not in told.dead, "I8 an approval was taken for a decision that was over")
        need(approval["by"] not in told.yes[approval["decision"]], "I6 one person approved the same packet twice")
        told.yes[approval["decision"]][approval["by"].casefold()] = self.world.steady

    # -- intents

    def _intended(self, told: Told, body: dict[str, Any]) -> None:
        grant, steady = body["grant"], self.world.steady
        decision = grant["decision"]
        packet, asked, epoch = told.asked[decision]
        same = [op for op in told.ops.values() if op["decision"] == decision]
        need(not self.paused, "I17 an intent was written while the automation was paused")
        need(told.owner == "ratchet", "I17 an intent was written while a person had the incident")
        need(epoch == told.epoch, "I18 an intent stands on an approval from an earlier epoch")
        need(decision not in told.dead, "I8 an intent was written for a decision that was over")
        need("firing" in told.alerts.values(), "I19 an intent was written after the alert had resolved")
        need(steady - asked < EXPIRES + SLACK, "I4 I28 an intent was written after the approval expired")
        need(packet["playbook_digest"] == self.active[packet["playbook"].split("@")[0]], "I25 the text was not active")
        need(packet["fingerprint"]["timeline"] == self.world.node, "an intent was written for another server")
        need(grant["packet_digest"] == digest_of(packet), "I2 I7 the intent names other bytes than were asked about")
        need(grant["action_digest"] == digest_of(packet["act"]), "I2 the intent names another act")
        self._may(told, packet, grant["op_id"])
        need(len(told.ops) < 5, "I16 more than five acts in one incident")
        step = [op for op in told.ops.values() if op["step"] == packet["step"] and not packet["undo_of"]]
        need(len(step) < 2, "I16 more than two attempts at one step")
        for op in same:
            need(op["state"] == "absent" and packet["act"]["klass"] != "C", "I6 I12 an approval was used twice")
        group = packet["conflict_group"]
        open_ops = [
            op for one in self.told.values() for op in one.ops.values() if op["group"] == group and one.open(op)
        ]  # fmt: skip
        need(not open_ops, "I9 two operations of one conflict group were open at once")
        if not same and not packet["undo_of"]:
            since = steady - self.sent_at.get(group, float("-inf"))
            need(since > COOLDOWN - SLACK, f"I15 I28 the group was acted on {since:.0f} s after its deadline")
        told.ops[grant["op_id"]] = {
            "decision": decision, "step": packet["step"], "group": group, "state": "intended", "klass":
            packet["act"]["klass"], "position": self.position, "grant": grant, "at": steady,
        }  # fmt: skip
        if not packet["undo_of"]:
            self.sent_at[group] = steady + DEADLINE

    def _may(self, told: Told, packet: dict[str, Any], op_id: str) -> None:
        """Enough people, or a living standing grant that was charged for exactly this operation."""
        people = {by for by in told.yes[packet["id"]] if by.startswith("user:")}
        people -= {name.casefold() for name in (packet["proposer"], packet["author"], *packet["writers"])}
        if len(people) >= packet["quorum"]:
            return
        standing = self.standing.get(told.covered.get(packet["id"], ""))
        need(standing is not None, "I2 an intent without enough people and without a standing grant")
        assert standing is not None
        charged = self.charged.get(op_id) == standing["id"] or self._charge_follows(op_id, standing["id"])
        need(charged and not standing["dead"], "I2 a standing grant that is dead or was not charged")
        need(standing["playbook_digest"] == packet["playbook_digest"], "I2 a standing grant for another text")

    def _charge_follows(self, op_id: str, standing: str) -> bool:
        query = "SELECT stored FROM events WHERE stream = 'house' AND kind = 'standing_charged'"
        bodies = [json.loads(row[0])["body"] for row in self._db.execute(query)]
        return any(b["op_id"] == op_id and b["id"] == standing for b in bodies)

    # -- outcomes

    def _outcome(self, told: Told, body: dict[str, Any]) -> None:
        op = told.ops[body["op_id"]]
        happened = any(effect.op_id == body["op_id"] for effect in self.world.ledger)
        match body["kind"]:
            case "acted":
                need(op["state"] == "intended", "I14 a stale process updated the record")
                op["state"] = body["outcome"]
                need(not happened or body["outcome"] == "done", "I10 the record says that an effect did not happen")
            case "doubted":
                need(op["state"] == "intended", "I10 what was known became unknown")
                op["state"] = "unknown"
            case _:
                need(op["state"] == "unknown", "I10 an outcome was settled that was not unknown")
                op["state"] = {"yes": "took", "no": "absent", "cannot_tell": "unsure"}[body["took"]]
                need(op["klass"] != "C" or body["took"] == "cannot_tell", "I12 an act of class C was settled by code")
                need(not happened or body["took"] != "no", "I10 the record says that an effect did not happen")

    def _sampled(self, told: Told) -> None:
        values = [e["value"] for e in self._window(told)]
        need(values[-3:-1] != [None, None], "no data: a sample followed two that could not be read")
        op = list(told.ops.values())[-1]
        need(op["state"] in ("done", "took"), "I20 a sample was taken before the effect was known")

    def _verified(self, told: Told, body: dict[str, Any]) -> None:
        samples = self._window(told)
        need(not body["passed"] or len(samples) >= 3, "I20 recovery was declared on too few samples")
        if not body["passed"]:
            return
        run = [s["at"] for s in samples]
        last = next((n for n, s in enumerate(reversed(samples)) if s["value"] is not True), len(samples))
        need(last >= 3, "I20 recovery was declared on too few samples in a row")
        from_, to = (datetime.fromisoformat(run[-last]), datetime.fromisoformat(run[-1]))
        need((to - from_).total_seconds() >= 6 - 0.001, "I20 recovery was declared before it had held")
        op = list(told.ops.values())[-1]
        need(op["state"] in ("done", "took"), "I20 recovery was credited to a step without effect")
        effect = any(e.op_id == op["grant"]["op_id"] for e in self.world.ledger)
        need(effect or op["klass"] == "A", "I20 there is no effect in the ledger")

    @staticmethod
    def _window(told: Told) -> list[dict[str, Any]]:
        window: list[dict[str, Any]] = []
        for event in told.events:
            if event["kind"] in ("intended", "acted", "settled", "handed_back"):
                window = []
            elif event["kind"] == "sampled":
                window.append(event)
        return window

    # -- the moment of the send

    def place(self, place: str) -> None:
        """Called at every named place, after whatever somebody else did just then."""
        self.read()
        if place == "after_anchor":
            flying = [
                (t, op_id) for t in self.told.values() for op_id, op in t.ops.items() if op["state"] == "intended"
            ]
            for told, op_id in flying:
                self.last_look.setdefault(op_id, self._called_off(told))

    def _called_off(self, told: Told) -> str:
        epoch = told.asked[list(told.ops.values())[-1]["decision"]][2]
        if self.paused:
            return "the automation was paused"
        if told.owner != "ratchet" or epoch != told.epoch:
            return "a person had taken over"
        if told.events and any(event["kind"] in ("resolved", "closed") for event in told.events):
            return "a person had said that it is over"
        return "" if "firing" in told.alerts.values() else "the alert had resolved"

    def send(self, act: Act, grant: Grant) -> None:
        """Called by the world when an act arrives at the wire."""
        self.read()
        op = next(t.ops[grant.op_id] for t in self.told.values() if grant.op_id in t.ops)
        self.sends[grant.op_id] += 1
        need(self.sends[grant.op_id] == 1, "I1 one operation was sent twice")
        need(digest(act) == grant.action_digest == op["grant"]["action_digest"], "I2 another act was sent")
        anchored = json.loads((self.life.home / "anchor").read_bytes())
        need(anchored["position"] >= op["position"], "I3 I22 an act was sent before its intent was anchored")
        why = self.last_look.get(grant.op_id, "nobody looked")
        need(not why, f"I17 an act was sent although {why} before the last look")

    def took(self, act: Act, grant: Grant) -> None:
        need(
            self.world.target_clock() >= grant.not_after + MARGIN,
            "I11 the target was asked before the deadline had passed",
        )
        need(act.klass != "C", "I12 an act of class C was looked up by code")

    # -- after every rule, and at the end

    def check(self) -> None:
        """What must hold in every state."""
        self.read()
        effects = Counter(effect.op_id for effect in self.world.ledger)
        need(all(count == 1 for count in effects.values()), "I1 one operation had two effects")
        steps = Counter(effect.decision for effect in self.world.ledger if effect.klass != "A")
        need(all(count == 1 for count in steps.values()), "I1 one approved step had two effects")
        known = {op_id for told in self.told.values() for op_id in told.ops}
        need(set(effects) <= known, "I3 an effect without an intent")
        for name, told in self.told.items():
            self._folded(name, told)

    def _folded(self, name: str, told: Told) -> None:
        row = self._db.execute("SELECT status, body FROM incidents WHERE id = ?", (name,)).fetchone()
        body = json.loads(row[1])
        need(body["epoch"] == told.epoch, "I18 the epoch did not move when the incident changed hands")
        for op_id, op in told.ops.items():
            there = next(o["state"] for o in body["ops"] if o["grant"]["op_id"] == op_id)
            need(there == op["state"], f"the checkpoint says {there} where the events say {op['state']}")

    def finish(self) -> None:
        """Heal everything and let time pass: whatever was begun must come to an end or to a person."""
        life, world = self.life, self.world
        life.kill_at, life.between, life.anchor_down = "", None, False
        world.mood, world.blind = "well", 0
        if self.paused:
            life.automation.resume(life.person(), "go on")
        life.run()
        for step in (15, 15, 65, 65, 650, 650, 2000):
            world.passes(step)
            life.run()
            life.run()
            self.check()
        for name, status, _ in self._states():
            self._ended(self.told[name], status)
        if not self.tampered:
            report = life.store.verify()
            need(report.ok, f"I21 the chain does not verify: {report.because}")
        before = self._states()
        life.crash()
        life.run()
        need(before == self._states(), "I24 recovering twice is not recovering once")

    def _ended(self, told: Told, status: str) -> None:
        need(status in ENDS, f"I24 an incident is stuck: {status} after {told.events[-1]['kind']}")
        for op in told.ops.values():
            need(op["state"] not in ("intended", "unknown"), f"I24 an operation is still {op['state']}")

    def _states(self) -> list[tuple[str, str, int]]:
        return self._db.execute("SELECT id, status, seq FROM incidents ORDER BY id").fetchall()


def need(holds: bool, what: str) -> None:
    if not holds:
        raise Broken(what)
