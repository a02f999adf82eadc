"""Takes every guard out in turn and shows that the proof notices: `python -m tests.proof.mutants`.

A mutant is an edit of one function's source, in memory. It is dead when a directed bid or the model of random lives
fails; one that lives on means that something could be removed unseen, and that fails the build.
"""

import argparse
import ast
import inspect
import logging
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FunctionType, SimpleNamespace
from typing import Any, TypeVar, cast

from ratchet.domain import gate, incident, move, op, protocol
from ratchet.domain.errors import Refusal
from ratchet.domain.gate import DecisionPacket, Grant
from ratchet.domain.op import Op
from ratchet.domain.plan import Act, Check, Statement
from ratchet.domain.ports import Took
from ratchet.domain.protocol import GUARDS, refuse_intent
from ratchet.domain.spoken import EndProposed
from ratchet.domain.standing import StandingGrant, Use
from ratchet.domain.target import Fingerprint
from ratchet.execution import engine, perform, restart, undo
from ratchet.execution.stopped import Stopped
from ratchet.store import intents, locks, store
from ratchet.tools.postgres.send import NotNow, Sending
from ratchet.vault.policy import shipped_policy
from ratchet.wiring.clock import Machine, SteadyClock
from tests.domain.test_gate import NOW, ROWS, packet, preview, reread
from tests.domain.test_protocol import REFUSED, TARGET, standing
from tests.domain.test_protocol import incident as waiting
from tests.proof.test_model import run_model

T = TypeVar("T")
Edit = tuple[Callable[..., Any], str, str]
"""A function, a piece of its source that stands there once, and what stands there instead."""


@dataclass(frozen=True)
class Mutant:
    """What is taken out. `without` names guards of the intent, `edits` change functions."""

    name: str
    edits: tuple[Edit, ...] = ()
    without: tuple[str, ...] = ()
    steps: int = 14

    @contextmanager
    def alive(self) -> Iterator[None]:
        with ExitStack() as stack:
            by_function: dict[Callable[..., Any], list[tuple[str, str]]] = {}
            for function, old, new in self.edits:
                by_function.setdefault(function, []).append((old, new))
            for function, changes in by_function.items():
                stack.enter_context(_edited(function, changes))
            before, protocol.GUARDS = protocol.GUARDS, tuple(g for g in GUARDS if g.__name__ not in self.without)
            try:
                yield
            finally:
                protocol.GUARDS = before


@contextmanager
def _edited(function: Callable[..., Any], changes: Sequence[tuple[str, str]]) -> Iterator[None]:
    """Put other code behind a function, everywhere it is known."""
    there = cast("FunctionType", function)
    source = textwrap.dedent(inspect.getsource(there))
    for old, new in changes:
        if source.count(old) != 1:
            raise LookupError(f"{there.__qualname__} holds {old!r} {source.count(old)} times")
        source = source.replace(old, new)
    tree = ast.parse(source)
    made: dict[str, Any] = {}
    exec(compile(tree, there.__code__.co_filename, "exec"), there.__globals__, made)
    kept, there.__code__ = there.__code__, made[there.__name__].__code__
    try:
        yield
    finally:
        there.__code__ = kept


_P, _E = perform.Performer, engine.Engine
STRUCTURE: tuple[Mutant, ...] = (
    Mutant("anchor before send", ((store.EventStore.anchor, "self._anchor.write(self._head)", "pass"),)),
    Mutant("no anchor, no send", ((_P._send, "self._store.anchor()", "_try(self._store.anchor)"),)),
    Mutant("called off after the anchor", ((_P._send, "self._called_off(incident, grant)", '""'),)),
    Mutant("kill switch looked at again", ((_P._called_off, "if self._store.paused()", "if False"),)),
    Mutant("owner looked at again", ((_P._called_off, "now.epoch != incident.epoch or now.owner != incident.owner",
                                      "False"),)),
    Mutant("end looked at again", ((_P._called_off, 'if now.status != "acting"', "if False"),)),
    Mutant("expiry looked at again", ((_P._no_leave, "self._clock() >= incident.packet.expires_at", "False"),)),
    Mutant("standing grant looked at again", ((_P._no_leave, "if given is not None", "if False"),)),
    Mutant("alert looked at again", ((_P._called_off, "if now.alert_resolved", "if False"),)),
    Mutant("taken for dead looked at again", ((_P._called_off, "if not any(", "if False and not any("),)),
    Mutant("intended becomes doubt on restart", ((move._settle, "return Doubt(op_id=op.grant.op_id)",
                                                  "return Perform()"),
                                                 (protocol._state, '== "absent"', 'in ("absent", "intended")'),
                                                 (intents._lock, '== "absent"', 'in ("absent", "intended")'),
                                                 (protocol._lock, "holder is not None", "False"))),
    Mutant("resend instead of doubt", ((_E._make, "because = \"Ratchet stopped", "return self._p.performer._send("
                                        "incident, incident.packet.act, incident.op.grant)\n            because = "
                                        "\"Ratchet stopped"),)),
    Mutant("asked by the target's own clock", ((_P._not_before, "if left > timedelta(0)", "if False"),)),
    Mutant("class C is never looked up", ((_P.settle, 'if act.klass == "C"', "if False"),)),
    Mutant("attempts at a step", ((protocol._budget, "tried >= ATTEMPTS", "False"),
                                  (move._may_retry, "< ATTEMPTS", "< 99"))),
    Mutant("a stale process writes nothing", ((_P._write_down, "if not any(", "if False and not any("),)),
    Mutant("two unknown samples end the window", ((move._closed, "== [None, None]", '== ["never"]'),)),
    Mutant("unknown breaks the streak", ((op.unbroken, "if sample.value is not True or (",
                                          "if sample.value is None:\n            continue\n"
                                          "        if not sample.value or ("),)),
    Mutant("a hole breaks the streak", ((op.unbroken, "run[0].at - sample.at > most", "False"),)),
    Mutant("writes that nobody was shown", ((gate.changed_since, "if reread.preview.writes and", "if False and"),)),
    Mutant("sent under the present lock", ((_P._moved, "target.conflict_group == packet.conflict_group", "True"),)),
    Mutant("samples enough", ((move._closed, ">= window.min_samples", ">= 1"),)),
    Mutant("held long enough", ((move._closed, "if held >= window.sustain", "if True"),)),
    Mutant("epoch moves when taken over", ((incident._taken, '"epoch": i.epoch + 1', '"epoch": i.epoch'),)),
    Mutant("epoch moves when handed back", ((incident._handed_back, '"epoch": i.epoch + 1', '"epoch": i.epoch'),)),
    Mutant("a denial is final", ((incident._refused, '"answered": "refused"', '"answered": ""'),
                                 (incident._refused, ', "approvals": ()', ""))),
    Mutant("lock held while unknown", ((locks.follow, "or holds(incident)", ""),)),
    Mutant("cooldown from the deadline", ((intents._take, "grant.settle_after + timedelta(seconds=demand.cooldown)",
                                           "grant.settle_after"),)),
    Mutant("standing grant charged", ((intents.Intents.intend, "if books.standing is not None and "
                                       "incident.standing is not None", "if False"),)),
    Mutant("a grant dies with its certificate", (
        (StandingGrant.ended, "if self.certificate is not None", "if False"),)),
    Mutant("a grant dies with its server", ((StandingGrant.outside, "(bool(stranger), stranger),", ""),)),
    Mutant("a name is no server", ((StandingGrant._stranger, "here == self.servers[target.name]", "True"),)),
    Mutant("registered before it was given", ((StandingGrant._stranger, "registered_at is None or registered_at > "
                                               "self.given_at", "False"),)),
    Mutant("the house's clock counts", ((SteadyClock.__call__, "self._since.moment + timedelta(seconds=self._machine."
                                         "steady() - self._since.steady)", "self._machine.wall()"),)),
    Mutant("the clock is kept for the boot", ((SteadyClock._read, "kept if kept.boot", "None if kept.boot"),)),
    Mutant("grant and act fit at the hands", ((Sending.__post_init__, "self.grant.action_digest != self.act.digest",
                                               "False"),)),
    Mutant("the server that was shown answers", ((Sending.arm, 'row is None or not row["same"]', "False"),)),
    Mutant("armed in time", ((Sending.arm, 'if not row["in_time"]', "if False"),)),
    Mutant("each statement is armed", ((Sending.carry, "self.arm(line) if number else limit", "limit"),)),
    Mutant("told by the server it was sent to", ((_P.settle, "who_answers(self._toolbox, packet).settled(took)",
                                                  "took"),)),
    Mutant("sampled at the server it was done on", ((_E._sample, "if incident.op is not None", "if False"),)),
    Mutant("another server is told apart", ((Fingerprint.instead_of, "if self.same_server(shown)", "if True"),)),
    Mutant("an answer names the bytes", ((gate.check_bytes, "if digest != packet.digest", "if False"),)),
    Mutant("nobody says yes to their own text", ((gate.check_yes, "by.casefold() in interested(packet)", "False"),)),
    Mutant("impact looked at while it waits", ((move._await_answer, "if grave and", "if False and"),)),
    Mutant("high impact ends by two people", ((EndProposed.confirmed_by, " and self.by.casefold() != other.by."
                                               "casefold()", ""),)),
    Mutant("one terminal ends nothing", ((EndProposed.confirmed_by, " and not (self.own_word and other.own_word)",
                                          ""),)),
    Mutant("a way back is judged as one", ((_P.settle, "back=packet.undo_of is not None", "back=False"),)),
    Mutant("a way back starts from what was left", ((_P._reread_left, 'if left.verdict != "yes"', "if False"),)),
    Mutant("a way back stays at its server", ((undo.Undoing.ask, "if not fingerprint.same_server(done.fingerprint)",
                                               "if False"),)),
    Mutant("what was withdrawn is not tried again", ((move._may_retry, "if incident.answered", "if False"),)),
    Mutant("what was done is no resolution without action", ((move._over, "if not incident.effects", "if True"),)),
    Mutant("a lost answer credits nobody", ((op.answered, 'op.state == "done"', "True"),)),
    Mutant("every leave that was used dies", ((_E._distrust, "leave_used(since(incident.ops, incident.began_at))",
                                               "()"),)),
    Mutant("an answer comes in time", ((gate.check_answer, "if now >= packet.expires_at", "if False"),)),
)  # fmt: skip
PAIRS: tuple[Mutant, ...] = (
    Mutant("pair: bind + edit_voids", ((protocol._bytes, "not same", "False"),
                                       (protocol._action, "stored.act.digest != stored.action_digest", "False"),
                                       (gate.quorum_met, "a.digest == packet.digest and ", ""))),
    Mutant("pair: kill switch + looked at again", ((_P._called_off, "if self._store.paused()", "if False"),
                                                   (protocol._kill_switch, "while_paused(bid.books.paused)", "None"))),
    Mutant("pair: owner + looked at again", ((_P._called_off, "now.epoch != incident.epoch or now.owner != "
                                              "incident.owner", "False"),), ("_owner",)),
    Mutant("pair: ttl + expiry at the intent", ((gate.check_answer, "if now >= packet.expires_at", "if False"),
                                                (move._await_answer, "if now >= packet.expires_at", "if False"),),
           ("_expiry",)),
    Mutant("pair: wall deadline + target's clock", ((move._settle, "if now >= due", "if True"),
                                                    (_P._not_before, "if left > timedelta(0)", "if False"))),
    Mutant("pair: class C looked up + tried again", ((_P.settle, 'if act.klass == "C"', "if False"),
                                                     (move._may_retry, 'packet.act.klass == "C"', "False"))),
    Mutant("all who wrote it", ((gate.interested, ", *packet.writers)", ")"),)),
    Mutant("one terminal is one person", ((gate.people_among, "max(0, own_word - 1)", "0"),)),
    Mutant("pair: epoch guard + epoch in quorum", ((gate.quorum_met, " and a.epoch == packet.incident_epoch", ""),
                                                   (incident._handed_back, '"packet": None, ', ""),
                                                   (incident._taken, '"approvals": (), ', ""),
                                                   (incident._handed_back, '"approvals": (), ', "")), ("_epoch",)),
    Mutant("pair: clock guard + void at the start", ((restart.void_approvals, "if incident.packet is not None",
                                                      "if False and incident.packet is not None"),), ("_clock",)),
)  # fmt: skip
"""Redundant on purpose: each part alone is covered by the other, so that they are taken out together."""


def _try(anchor: Callable[[], None]) -> None:
    """What a careless program would do with an anchor that fails."""
    try:
        anchor()
    except Refusal:
        return


perform.__dict__["_try"] = _try


def all_mutants() -> tuple[Mutant, ...]:
    guards = tuple(Mutant(f"guard: {g.__name__.lstrip('_')}", without=(g.__name__,)) for g in GUARDS)
    return (*guards, *STRUCTURE, *PAIRS)


def directed() -> str:
    """The first directed trial that a mutant fails, or an empty text."""
    for name, bid in REFUSED.items():
        if refuse_intent(bid) is None:
            return f"bid {name.lstrip('_')}"
    other = packet(title="another")
    act = other.act.model_copy(update={"cap": other.act.cap + 1})
    grant = Grant(
        op_id="1", decision="d", packet_digest="p", action_digest=other.act.digest, incident_id="i",
        approved_by=("user:ana",), not_after=NOW, settle_after=NOW,
    )  # fmt: skip
    try:
        Sending(cast("Any", None), act, grant, lambda: NOW)
    except Refusal:
        pass
    else:
        return "another act through the hands"
    if misled := _armed(act, grant):
        return misled
    for words, digest, now in (("other bytes", "sha256:0", NOW), ("too late", other.digest, other.expires_at)):
        try:
            gate.check_answer(other, digest, now, 0)
        except Refusal:
            continue
        return f"answer: {words}"
    for asked in (packet(author="user:Ana"), packet(author="user:bo", writers=("user:Ana", "user:bo"))):
        with suppress(Refusal):
            gate.check_yes(asked, "user:ANA")
            return "a yes to one's own text"
    two = packet(quorum=2)
    if gate.quorum_met(two, tuple(_said(two, name) for name in ("user:ana", "user:ben"))):
        return "one terminal under two names"
    return _unshown() or _grave() or _jumps()


def _unshown() -> str:
    """What came after the question: writes, another lock, and a time in which nobody looked."""
    for scope in ("exact", "bounded"):
        if gate.changed_since(packet(scope), reread(preview=preview(*ROWS, writes=True))) is None:
            return "writes that nobody was shown"
    moved: Any = SimpleNamespace(_registered=lambda _: TARGET.model_copy(update={"replica_of": "another"}))
    if not _P._moved(moved, packet()):
        return "another lock"
    for name, seen in (("hole", ((0, True), (540, True))), ("unknown", ((0, True), (5, None), (10, True)))):
        samples = [op.Sample(at=NOW + timedelta(seconds=after), value=value) for after, value in seen]
        if len(op.unbroken(samples, 5.0)) > 1:
            return f"in the window: {name}"
    return ""


def _said(asked: DecisionPacket, by: str) -> gate.Approval:
    return gate.Approval(decision=asked.id, digest=asked.digest, by=by, channel="cli", reason="", at=NOW, epoch=0)


class _ArmedLine:
    """A session on which every statement succeeds, and arming is answered as told."""

    closed = False
    until = 0.0

    def __init__(self, *, same: bool, in_time: bool) -> None:
        self.said = {"same": same, "in_time": in_time, "work_ms": 1}
        self.sent: list[bytes] = []

    def execute(self, sql: bytes, *_: Any, **__: Any) -> Any:
        self.sent.append(sql)
        return SimpleNamespace(fetchone=lambda: self.said, fetchall=list, statusmessage="", description=None)

    def close(self) -> None:
        """As a session does."""

    def add_notice_handler(self, _handler: Any) -> None:
        """As a session does."""

    remove_notice_handler = add_notice_handler


def _armed(act: Act, grant: Grant) -> str:
    """Each statement is sent to the server that was shown, in time, or not at all."""
    two = act.model_copy(update={"statements": (Statement(sql="one"), Statement(sql="two"))})
    leave = grant.model_copy(update={"action_digest": two.digest})
    tool: Any = SimpleNamespace(patience=1.0, lock_limit=1.0, answers_rows=False)
    for name, same, in_time in (("another server", False, True), ("too late", True, False)):
        sending, line = Sending(tool, two, leave, lambda: NOW), cast("Any", _ArmedLine(same=same, in_time=in_time))
        try:
            sending.arm(line)
        except NotNow:
            pass
        else:
            return f"armed: {name}"
        sending.carry(line, 1.0)
        if b"two" in line.sent:
            return f"a second statement: {name}"
    return ""


def _grave() -> str:
    """Harm that is heard of withdraws what was asked, and one person's word twice ends nothing."""
    if move.next_move(waiting(packet()), NOW, "5000 customers").kind != "escalate":
        return "a question outlives the impact"
    told: dict[str, Any] = {"verb": "close", "reason": "x", "because": "x"}
    who = (("user:ana", "cli"), ("user:ANA", "http"), ("user:ben", "cli"), ("user:ben", ""), ("user:ben", "http"))
    words = [EndProposed(by=by, channel=channel, **told) for by, channel in who]
    ends = [words[0].confirmed_by(other) for other in words]
    return _strangers() or _last_look() if ends == [False] * 4 + [True] else "one person ends what takes two"


def _last_look() -> str:
    """What was said between the intent and the send stops the send."""
    grant = SimpleNamespace(op_id="1")
    well = {
        "id": "i", "ops": (SimpleNamespace(grant=grant, state="intended"),), "epoch": 0, "owner": "ratchet",
        "alerts": (), "alert_resolved": False, "status": "acting", "standing": "sg_1",
        "packet": SimpleNamespace(expires_at=NOW + timedelta(seconds=1)),
    }  # fmt: skip
    for name, now, paused, at, revoked in (
        ("nothing", {}, False, NOW, ""), ("a pause", {}, True, NOW, ""),
        ("its being taken for dead", {"ops": ()}, False, NOW, ""),
        ("a take-over", {"epoch": 1, "owner": "user:ana"}, False, NOW, ""),
        ("the end of its alert", {"alert_resolved": True}, False, NOW, ""),
        ("a person's word that it is over", {"status": "resolved"}, False, NOW, ""),
        ("its expiry", {}, False, NOW + timedelta(seconds=1), ""),
        ("the revocation of its grant", {}, False, NOW, "by ana"),
    ):  # fmt: skip
        performer: Any = object.__new__(perform.Performer)
        seen = SimpleNamespace(**{**well, **now})
        ends = (("sg_1", revoked), ("sg_2", "long ago"))
        grants = [SimpleNamespace(id=name, series="x", ended=lambda *_, why=why: why) for name, why in ends]
        performer._store = SimpleNamespace(
            incident=partial(_seen, seen),
            paused=partial(_the, paused),
            standing_grants=partial(_the, grants),
            certificates=lambda _: (),
        )
        performer._clock = partial(_the, at)
        performer._policy = shipped_policy()
        if bool(performer._called_off(SimpleNamespace(**well), grant)) is (name == "nothing"):
            return f"last look: {name}"
    return _exchanged()


def _exchanged() -> str:
    """What a server says that took the place of another proves nothing about the act."""
    asked = packet()
    grant = SimpleNamespace(op_id="1", decision="d", not_after=NOW, settle_after=NOW)
    plan = SimpleNamespace(
        calls={"p": ()},
        text_scope={},
        verification=SimpleNamespace(checks=(Check(id="c", expect="1 == 1", probe="p"),)),
    )
    acted: Any = SimpleNamespace(op=SimpleNamespace(grant=grant), ops=(SimpleNamespace(grant=grant),), plan=plan)
    books, later = SimpleNamespace(decision=lambda _: (None, asked)), NOW + timedelta(hours=1)
    for timeline, well in ((asked.fingerprint.timeline, True), (asked.fingerprint.timeline + 1, False)):
        seen = asked.fingerprint.model_copy(update={"timeline": timeline, "clock": later})
        hands = SimpleNamespace(
            fingerprint=partial(_seen, seen), took=lambda *_, **__: Took(verdict="yes", because="looked")
        )
        performer: Any = object.__new__(perform.Performer)
        performer._store, performer._toolbox, performer._at = books, hands, print
        performer._clock = partial(_the, later)
        performer._pen = SimpleNamespace(write=lambda _, event, **__: event)
        if performer.settle(acted, "1").took != ("yes" if well else "cannot_tell"):
            return "a lost outcome at another server"
        running: Any = object.__new__(engine.Engine)
        running._store, running._commit = books, lambda _, event, **__: event
        running._p = SimpleNamespace(toolbox=hands, clock=partial(_the, later))
        if running._sample(acted).value is not (True if well else None):
            return "a sample of another server"
    return _ways_back()


def _ways_back() -> str:
    """A way back is looked for as one, starts at its server from what the step left; what was withdrawn is over."""
    asked, ops = packet(undo_of="1"), (SimpleNamespace(grant=SimpleNamespace(op_id="1", decision="d")),)
    seen: list[bool] = []
    performer: Any = object.__new__(perform.Performer)
    performer._toolbox = SimpleNamespace(
        took=partial(_looked, seen), left=partial(_looked, []), fingerprint=partial(_seen, reread().fingerprint)
    )
    performer._store = SimpleNamespace(decision=partial(_seen, (None, asked)))
    performer._clock, performer._at = partial(_the, NOW + timedelta(hours=1)), _nothing
    performer._pen = SimpleNamespace(write=_nothing)
    performer._not_before = _nothing
    incident: Any = SimpleNamespace(ops=ops, packet=asked, op=ops[0], revision=0)
    performer.settle(incident, "1")
    if seen != [True]:
        return "a way back judged as its step"
    if not isinstance(performer._reread_left(incident, asked), str):
        return "a way back over what somebody made of it"
    other = asked.fingerprint.model_copy(update={"system_identifier": "9"})
    there: Any = SimpleNamespace(fingerprint=partial(_seen, other), left=partial(_as_left, []))
    try:
        undo.Undoing(there, partial(_the, NOW), str).ask(incident)
    except Stopped:
        return _withdrawn(asked)
    return "a way back at another server"


def _withdrawn(asked: DecisionPacket) -> str:
    """What did not happen and was withdrawn is not sent again."""
    grant = Grant(
        op_id="1", decision=asked.id, packet_digest=asked.digest, action_digest=asked.action_digest, incident_id="i",
        approved_by=("user:ana",), not_after=NOW, settle_after=NOW,
    )  # fmt: skip
    tried = Op(grant=grant, step=asked.step, attempt=1, state="absent", intended_at=NOW)
    acting = waiting(packet()).model_copy(update={"status": "acting", "ops": (tried,)})
    moves = [
        move.next_move(acting.model_copy(update={"answered": said}), NOW).kind for said in ("", "superseded", "refused")
    ]
    return _credit(acting, tried) if moves == ["act", "escalate", "escalate"] else "what was withdrawn is tried again"


def _credit(acting: incident.Incident, tried: Op) -> str:
    """What an earlier step did is not nothing, what was found after a lost answer is nobody's, and bad leave dies."""
    over = tuple(alert.model_copy(update={"status": "resolved"}) for alert in acting.alerts)
    done = tried.model_copy(update={"state": "done", "before": False})
    between = acting.model_copy(update={"status": "awaiting_approval", "alerts": over, "ops": (done,)})
    if move.next_move(between, NOW).kind != "escalate":
        return "what was done is no resolution without action"
    took = acting.model_copy(update={"ops": (done.model_copy(update={"state": "took"}),)})
    if took.turned or not between.turned:
        return "a lost answer is credited"
    ahead = done.grant.model_copy(update={"approved_by": ("standing:sg_1",)})
    revoked: list[str] = []
    running: Any = object.__new__(engine.Engine)
    running._store = SimpleNamespace(revoke_standing=lambda one, *_: revoked.append(one))
    running._distrust(acting.model_copy(update={"ops": (done.model_copy(update={"grant": ahead}), done)}), "x")
    return "" if revoked == ["sg_1"] else "bad leave lives on"


def _looked(seen: list[bool], _act: Any, _grant: Any, *, back: bool = False) -> Took:
    seen.append(back)
    return Took(verdict="cannot_tell", because="x")


def _as_left(_seen: Any, _act: Any, _grant: Any) -> Took:
    return Took(verdict="yes", because="x")


def _nothing(*_: Any, **__: Any) -> None:
    """Whatever it is given."""


def _seen(incident: Any, _name: str) -> Any:
    return incident


def _strangers() -> str:
    """A standing grant covers its server, and neither another one under that name nor one that was registered later."""
    asked, later = packet(), NOW + timedelta(seconds=1)
    there = {TARGET.name: {"address": TARGET.address, "system_identifier": asked.fingerprint.system_identifier}}
    other = {TARGET.name: {"address": TARGET.address, "system_identifier": "9"}}
    for name, servers, at, held in (
        ("its own server", there, later, True), ("another server", other, NOW, False),
        ("registered before", {}, NOW, True), ("registered later", {}, later, False), ("unregistered", {}, None, False),
    ):  # fmt: skip
        outside = standing(asked, servers=servers).outside(asked, Use(target=TARGET, registered_at=at, now=NOW))
        if held is bool(outside):
            return f"standing grant: {name}"
    return ""


def _jumps() -> str:
    """A wall that is set an hour ahead between two starts in one boot moves nothing."""
    with TemporaryDirectory() as place:
        said: list[datetime] = []
        for wall in (NOW, NOW + timedelta(hours=1)):
            clock = SteadyClock(Path(place) / "clock", Machine(partial(_the, wall), partial(_the, 5.0), lambda: "boot"))
            clock.never_before(NOW)
            said.append(clock())
    return "" if said[0] == said[1] else "a jump between two starts"


def _the(value: T) -> T:
    return value


def modelled(mutant: Mutant, lives: int, seeds: Sequence[int | None]) -> str:
    """What broke first in so many random lives, or an empty text."""
    for seed in seeds:
        try:
            run_model(lives, mutant.steps, seed)
        except BaseException as broken:
            if isinstance(broken, KeyboardInterrupt):
                raise
            while isinstance(broken, BaseExceptionGroup):
                broken = broken.exceptions[0]
            return f"{type(broken).__name__}: {str(broken).splitlines()[0][:90]}" if str(broken) else repr(broken)[:90]
    return ""


def trial(mutant: Mutant, lives: int, seeds: Sequence[int | None]) -> tuple[str, str, float]:
    """Directed or modelled killer of a mutant, and the seconds it took: what a directed trial kills needs no lives."""
    began = time.monotonic()
    with mutant.alive():
        by_bid = directed()
        by_model = "" if by_bid or not lives else modelled(mutant, lives, seeds)
        return by_bid, by_model, time.monotonic() - began


def main(argv: Sequence[str] | None = None) -> int:
    """Try every mutant and print the table; 1 when one survives."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof.mutants", description=__doc__)
    parser.add_argument("--lives", type=int, default=60)
    parser.add_argument("--only", default="")
    asked = parser.parse_args(argv)
    logging.disable(logging.ERROR)
    survivors: list[str] = []
    for mutant in all_mutants():
        if asked.only not in mutant.name:
            continue
        by_bid, by_model, seconds = trial(mutant, asked.lives, (None, 1, 2))
        if not (by_bid or by_model):
            survivors.append(mutant.name)
        words = "SURVIVES" if mutant.name in survivors else f"{by_bid or '-'} | {by_model or '-'}"
        sys.stdout.write(f"| {mutant.name} | {words} | {seconds:.1f} |\n")
        sys.stdout.flush()
    sys.stdout.write(f"survivors: {len(survivors)} of {len(all_mutants())}: {', '.join(survivors) or 'none'}\n")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
