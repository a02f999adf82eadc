"""The guards of the intent: every check of SAFETY.md 1.3 in order, each by name, so that each can be tried without."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from ratchet.domain.gate import MAX_AGE, DecisionPacket, Reread, changed_since, people_among
from ratchet.domain.incident import Incident
from ratchet.domain.noun import Noun, digest_of
from ratchet.domain.standing import StandingGrant
from ratchet.domain.target import Target
from ratchet.domain.timeline import Intended

MUTATIONS = 5
"""Acts that one incident may send (SAFETY.md 1.5)."""
ATTEMPTS = 2
"""Attempts at one step."""
CLOCK_SLACK = timedelta(seconds=2)
"""How far the wall clock may fall behind its own high-water mark before approvals count no more."""

Then = Literal["wait", "supersede", "stop", "conflict"]
"""What a refusal leads to: try later, ask anew, hand over, or read again."""


class No(Noun):
    """Why the intent is not written now, which guard says so, and what follows."""

    guard: str
    because: str
    then: Then
    until: datetime | None = None


class Books(Noun):
    """What stands in the state at the moment of the intent, read in the same transaction."""

    now: datetime
    high_water: datetime
    """The latest wall time that was ever written down."""
    paused: str = ""
    """Who paused the automation and why, or empty."""
    freeze: str = ""
    """The change freeze that is on, or empty."""
    stored_packet: DecisionPacket
    """The packet as it stands in the table, not as somebody holds it in memory."""
    holder: str | None = None
    """The operation that holds the conflict group, when it is not one of this incident's settled ones."""
    cool_until: datetime | None = None
    acted_until: datetime | None = None
    """When the last operation of the conflict group was over: what was read before that is not read again."""
    playbook_active: bool
    standing: StandingGrant | None = None
    standing_outside: str = ""


class Bid(NamedTuple):
    """Everything a guard may look at."""

    incident: Incident
    packet: DecisionPacket
    reread: Reread
    books: Books


Guard = Callable[[Bid], No | None]


def _kill_switch(bid: Bid) -> No | None:
    return while_paused(bid.books.paused)


def while_paused(paused: str) -> No | None:
    """The answer to every act while the kill switch is pulled; `paused` says by whom and why."""
    return _no(bool(paused), "kill_switch", f"Automation is paused. {paused}", "wait")


def _state(bid: Bid) -> No | None:
    i = bid.incident
    retry = i.status == "acting" and i.op is not None and i.op.state == "absent"
    good = (i.status == "awaiting_approval" and i.answered == "") or retry
    return _no(not good, "state", f"The incident is {i.status}; nothing is to be done.", "conflict")


def _alert_open(bid: Bid) -> No | None:
    return _no(bid.incident.alert_resolved, "alert_open", "The alert resolved at its source.", "conflict")


def _owner(bid: Bid) -> No | None:
    owner = bid.incident.owner
    return _no(owner != "ratchet", "owner", f"{owner} has the incident.", "conflict")


def _epoch(bid: Bid) -> No | None:
    epochs = {bid.packet.incident_epoch, *(a.epoch for a in bid.incident.approvals)}
    old = epochs != {bid.incident.epoch}
    return _no(old, "epoch", "The incident changed hands since this was approved.", "supersede")


def _bytes(bid: Bid) -> No | None:
    """Hashes are recomputed from the stored bytes; nothing that is held in memory is believed."""
    stored = bid.books.stored_packet
    digest = digest_of(stored.model_dump(mode="json"))
    same = bid.packet.digest == digest and all(a.digest == digest for a in bid.incident.approvals)
    return _no(not same, "bytes", "The packet is not the one that was approved.", "supersede")


def _action(bid: Bid) -> No | None:
    stored = bid.books.stored_packet
    return _no(stored.act.digest != stored.action_digest, "action", "The action is not the one shown.", "supersede")


def _quorum(bid: Bid) -> No | None:
    packet, books = bid.packet, bid.books
    if people_among(packet, bid.incident.approvals) >= packet.quorum:
        return None
    if books.standing is not None:
        outside = books.standing_outside
        return _no(
            bool(outside),
            "standing",
            f"Standing grant {books.standing.id} does not cover this: {outside}.",
            "supersede",
        )
    return No(guard="quorum", because="There are not enough approvals of exactly this packet.", then="conflict")


def _expiry(bid: Bid) -> No | None:
    late = bid.books.now >= bid.packet.expires_at
    return _no(late, "expiry", "The approval expired before the step could be sent.", "conflict")


def _clock(bid: Bid) -> No | None:
    back = bid.books.now < bid.books.high_water - CLOCK_SLACK
    return _no(back, "clock", "The wall clock went back; approvals from before count no more.", "supersede")


def _freeze(bid: Bid) -> No | None:
    return _no(bool(bid.books.freeze), "freeze", f"A change freeze is on: {bid.books.freeze}", "wait")


def _lock(bid: Bid) -> No | None:
    holder = bid.books.holder
    return _no(holder is not None, "lock", f"Operation {holder} holds {bid.packet.conflict_group}.", "wait")


def _cooldown(bid: Bid) -> No | None:
    until = bid.books.cool_until
    if until is None or bid.books.now >= until:
        return None
    because = f"{bid.packet.conflict_group} cools down until {until:%H:%M:%S} UTC."
    return No(guard="cooldown", because=because, then="wait", until=until)


def _budget(bid: Bid) -> No | None:
    ops = bid.incident.ops
    if len(ops) >= MUTATIONS:
        return No(guard="mutations", because=f"The incident has used its {MUTATIONS} acts.", then="stop")
    packet = bid.packet
    tried = sum(op.grant.decision == packet.id if packet.undo_of else op.step == packet.step for op in ops)
    return _no(tried >= ATTEMPTS, "attempts", f"Step {bid.packet.step} was tried {tried} times.", "stop")


def _playbook(bid: Bid) -> No | None:
    active = bid.books.playbook_active
    return _no(not active, "playbook", f"{bid.packet.playbook} is no longer the active text.", "supersede")


def _fresh(bid: Bid) -> No | None:
    acted = bid.books.acted_until
    if acted is not None and bid.reread.at < acted:
        because = f"{bid.packet.conflict_group} was acted upon while it was read just before the act."
        return No(guard="fresh", because=because, then="conflict")
    old = bid.books.now - bid.reread.at > MAX_AGE
    return _no(old, "fresh", "What was read just before the act is too old.", "supersede")


def _world(bid: Bid) -> No | None:
    changed = changed_since(bid.packet, bid.reread)
    return _no(changed is not None, "world", changed or "", "supersede")


GUARDS: tuple[Guard, ...] = (
    _kill_switch, _state, _alert_open, _owner, _epoch, _bytes, _action, _quorum, _expiry, _clock, _freeze, _lock,
    _cooldown, _budget, _playbook, _fresh, _world,
)  # fmt: skip
"""In the order of SAFETY.md 1.3. Removing one must make a test fail."""


def refuse_intent(bid: Bid) -> No | None:
    """The first guard that says no, or None: the intent may be written."""
    for guard in GUARDS:
        no = guard(bid)
        if no is not None:
            return no
    return None


def _no(hit: bool, guard: str, because: str, then: Then) -> No | None:
    return No(guard=guard, because=because, then=then) if hit else None


class Demand(Noun):
    """What the performer brings to the intent: the event to write, what it read again, and the pace of the target."""

    intended: Intended
    reread: Reread
    freeze: str = ""
    cooldown: float = 0.0
    """Seconds from the deadline until the conflict group may be acted on again; 0 for none."""
    target: Target | None = None


class Declined(Exception):
    """The intent was not written; `no` says which guard refused and what follows."""

    def __init__(self, no: No) -> None:
        super().__init__(no.because)
        self.no = no
