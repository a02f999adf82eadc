"""A world of our own: a target that keeps a ledger of effects on its own clock, and every way in which it fails."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from ratchet.domain.evidence import Answer, Evidence, ProbeCall
from ratchet.domain.gate import Grant
from ratchet.domain.noun import digest_of
from ratchet.domain.plan import Act, Class, Preview, Statement, ToolSpec, Undo
from ratchet.domain.ports import Missing, Sent, Took
from ratchet.domain.target import Fingerprint

Mood = Literal["well", "answer_lost", "swallowed", "delayed", "refused", "silent"]
"""What happens to the next act; `silent` also leaves every question unanswered."""
MOODS: tuple[Mood, ...] = ("well", "answer_lost", "swallowed", "delayed", "refused", "silent")
EPOCH = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
SERVER_VERSION = 150000
TICK = 0.004
"""Seconds that every look at a clock or target takes."""
PROBE = "world.trouble"
_NAMES: tuple[tuple[Class, str], ...] = (("A", "end_session"), ("B", "count_once"), ("C", "drop_slot"))
TOOLS: dict[Class, str] = {klass: f"world.{name}" for klass, name in _NAMES}


@dataclass(frozen=True)
class Effect:
    """One thing that really happened at the target."""

    op_id: str
    decision: str
    klass: str
    node: int
    at: datetime
    """On the target's clock."""
    back: bool = False
    """Whether it took an earlier one back."""


@dataclass
class Delayed:
    """An act on its way through a network that is in no hurry."""

    act: Act
    grant: Grant
    arrives: float
    ends: float
    """Steady seconds after which the session that carries it has been ended by the server."""


@dataclass
class World:
    """Time, a target and its ledger. It is a `Toolbox`; every promise that it keeps, PostgreSQL keeps too."""

    steady: float = 1000.0
    wall_set: timedelta = timedelta(0)
    target_set: timedelta = timedelta(seconds=37)
    node: int = 1
    mood: Mood = "well"
    delay: float = 20.0
    helps: bool = True
    blind: int = 0
    """How many of the next looks stay without an answer."""
    trouble: bool = True
    by_hand: bool = False
    """Whether somebody made something else of what the last act left."""
    name: str = "7301"
    """The system identifier of whoever answers."""
    sessions: list[dict[str, Any]] = field(default_factory=lambda: [{"pid": 71, "backend_start": "b0"}])
    ledger: list[Effect] = field(default_factory=list)
    queue: list[Delayed] = field(default_factory=list)
    on_send: Callable[[Act, Grant], None] = lambda act, grant: None
    on_took: Callable[[Act, Grant], None] = lambda act, grant: None
    born: int = 0

    # -- time

    def wall(self) -> datetime:
        """Our machine's wall clock, as somebody set it."""
        return EPOCH + timedelta(seconds=self.steady) + self.wall_set

    def monotonic(self) -> float:
        """Seconds that nobody can set."""
        self.steady += TICK
        return self.steady

    def target_clock(self) -> datetime:
        return EPOCH + timedelta(seconds=self.steady) + self.target_set

    def passes(self, seconds: float) -> None:
        """Time passes; what was on its way arrives."""
        until = self.steady + seconds
        for late in sorted(self.queue, key=lambda d: d.arrives):
            if late.arrives <= until:
                self.queue.remove(late)
                self.steady = max(self.steady, late.arrives)
                if late.arrives <= late.ends:
                    self._happens(late.act, late.grant)
        self.steady = max(self.steady, until)

    # -- trouble

    def breaks_again(self) -> None:
        self.trouble = True
        self.sessions = [self._session(71)]

    def reuses_pid(self) -> None:
        """The session goes by itself; another one gets its pid."""
        self.sessions = [self._session(row["pid"]) for row in self.sessions] or [self._session(71)]

    def _session(self, pid: int) -> dict[str, Any]:
        self.born += 1
        return {"pid": pid, "backend_start": f"b{self.born}"}

    # -- the toolbox

    def look(self, calls: Sequence[ProbeCall]) -> list[Evidence]:
        return [self._look(call) for call in calls]

    def _look(self, call: ProbeCall) -> Evidence:
        self.steady += TICK
        if self.mood == "silent" or self.blind > 0:
            self.blind = max(0, self.blind - 1)
            return Evidence.of(call, self.target_clock(), 1.0, answer=Answer.HUNG, detail="no answer")
        rows = ({"bad": int(self.trouble), "n": self.steady},)
        return Evidence.of(call, self.target_clock(), 1.0, answer=Answer.OK, columns=("bad", "n"), rows=rows)

    def fingerprint(self, target: str) -> Fingerprint | Evidence:
        self.steady += TICK
        if self.mood == "silent":
            call = ProbeCall(probe="fingerprint", target=target)
            return Evidence.of(call, self.target_clock(), 1.0, answer=Answer.HUNG, detail="no answer")
        return Fingerprint(
            system_identifier=self.name, timeline=self.node, in_recovery=False, server_version=SERVER_VERSION,
            clock=self.target_clock(), taken_at=self.ours(),
        )  # fmt: skip

    ours: Callable[[], datetime] = lambda: EPOCH
    """The clock of the process that asks."""

    def spec(self, tool: str) -> ToolSpec | None:
        return next((spec for spec in self.tools() if spec.name == tool), None)

    def tools(self) -> list[ToolSpec]:
        return [
            ToolSpec(name=name, summary="x", kind="postgres", effect="disruptive", klass=klass, scope="exact")
            for klass, name in TOOLS.items()
        ]

    def probes(self) -> Mapping[str, frozenset[str]]:
        return {PROBE: frozenset({"bad", "n"})}

    def preview(self, target: str, tool: str, args: Mapping[str, Any]) -> Preview | Evidence:
        self.steady += TICK
        if self.mood == "silent":
            return Evidence.of(ProbeCall(probe=tool, target=target), self.target_clock(), 1.0, answer=Answer.HUNG)
        rows = tuple(self.sessions) if tool == TOOLS["A"] else ({"role": "primary"},)
        undo = Undo.none("it is gone")
        if args.get("undoable"):
            undo = Undo(possible=True, statements=(Statement(sql="back"),), note="put it back")
        return Preview(rows=rows, statements=(Statement(sql=tool, params=dict(args)),), summary="x", undo=undo)

    def credential(self, target: str) -> str:
        return f"env:{target}"

    def check(self, target: str) -> list[Missing]:
        return []

    def pointed(self, name: str) -> str:
        return "7301"

    def act(self, act: Act, grant: Grant) -> Sent:
        """Send: what happens then depends on the mood; the target's own guards always hold."""
        self.on_send(act, grant)
        started = self.ours()
        self.steady += TICK
        match self.mood:
            case "refused":
                return self._sent("failed_clean", started, "refused")
            case "swallowed" | "silent":
                self.steady += act.deadline
                return self._sent("unknown", started, "lost_connection")
            case "delayed":
                remaining = (grant.not_after - self.target_clock()).total_seconds()
                late = Delayed(act, grant, self.steady + self.delay, self.steady + max(0.0, remaining))
                self.queue.append(late)
                return self._sent("unknown", started, "timeout")
            case "answer_lost":
                self._happens(act, grant)
                return self._sent("unknown", started, "lost_connection")
            case _:
                done = self._happens(act, grant)
                return self._sent("done" if done else "failed_clean", started, "none" if done else "too_late")

    def _happens(self, act: Act, grant: Grant) -> bool:
        if self.target_clock() >= grant.not_after:
            return False
        undoing = any(s.sql == "back" for s in act.statements)
        if act.tool == TOOLS["A"] and not undoing:
            shown = [dict(row) for row in act.identities]
            if not any(row in self.sessions for row in shown):
                return False
            self.sessions = [row for row in self.sessions if row not in shown]
        effect = Effect(grant.op_id, grant.decision, act.klass, self.node, self.target_clock(), undoing)
        self.ledger.append(effect)
        first = act.klass == "B" and sum(e.op_id.split(".")[0] == grant.op_id.split(".")[0] for e in self.ledger) < 2
        self.trouble = self.trouble and (first or not self.helps)
        return True

    def _sent(self, outcome: Any, started: datetime, category: str) -> Sent:
        return Sent(
            outcome=outcome, started_at=started, ended_at=self.ours(), return_code=category, error_category=category,
            because=category,
        )  # fmt: skip

    def took(self, act: Act, grant: Grant, *, back: bool = False) -> Took:
        self.on_took(act, grant)
        self.steady += TICK
        if self.mood == "silent":
            return Took(verdict="cannot_tell", because="no answer", reachable=False)
        if act.tool == TOOLS["A"]:
            there = [row for row in act.identities if dict(row) in self.sessions]
            return Took(verdict="no" if there else "yes", because="looked")
        if any(statement.sql == "back" for statement in act.statements):
            return self._stands(grant, back)
        happened = any(effect.op_id == grant.op_id for effect in self.ledger)
        return Took(verdict="yes" if happened else "no", because="looked")

    def left(self, act: Act, grant: Grant) -> Took:
        self.steady += TICK
        return self._stands(grant, back=False)

    def _stands(self, grant: Grant, back: bool) -> Took:
        """As PostgreSQL says it: there is a state and no memory, so that who asks must say which way the act went."""
        if self.by_hand or self.mood == "silent":
            return Took(verdict="cannot_tell", because="it is neither", reachable=self.mood != "silent")
        mine = [effect for effect in self.ledger if effect.op_id.split(".")[0] == grant.op_id.split(".")[0]]
        stands = bool(mine) and not mine[-1].back
        return Took(verdict="yes" if stands is not back else "no", because="looked")


def digest(act: Act) -> str:
    """The digest of an act, made here and not by what is being proved."""
    return digest_of(act.model_dump(mode="json"))
