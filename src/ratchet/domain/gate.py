"""The gate: the decision packet, the approval bound to its digest, and the grant for one exact act."""

from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import Field

from ratchet.domain.errors import Code, Refusal, conflict, forbidden
from ratchet.domain.noun import Noun, digest_of
from ratchet.domain.plan import Act, Preview, Verification
from ratchet.domain.playbook import Risk
from ratchet.domain.target import Fingerprint

MAX_AGE = timedelta(seconds=5)
"""How old fingerprint, preconditions and preview may be when the intent is written (SAFETY.md 1.3)."""


class Signal(Noun):
    """One line of evidence in a packet: which probe, what it said, and the evidence id to open."""

    source: str
    signal: str
    evidence: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    """The signal in lines for a person; `signal` is the exact trace of the condition."""


class CheckLine(Noun):
    """A condition in a packet, in words that a person reads and code runs."""

    id: str
    expect: str
    probe: str = ""


class DecisionPacket(Noun):
    """Everything a person needs to say yes or no, immutable. Approval is bound to `digest`."""

    schema_version: Literal["ratchet.packet/1"] = "ratchet.packet/1"
    id: str
    revision: int
    tenant: str = "main"
    incident_id: str
    incident_epoch: int
    step: str
    title: str
    playbook: str
    playbook_digest: str
    proposed_action: dict[str, Any]
    act: Act
    action_digest: str
    fingerprint: Fingerprint
    conflict_group: str
    evidence: tuple[Signal, ...]
    against: tuple[Signal, ...] = ()
    preconditions: tuple[str, ...]
    precondition_checks: tuple[CheckLine, ...]
    risk: Risk
    rollback_plan: str
    verification: tuple[str, ...]
    verification_checks: tuple[CheckLine, ...]
    verification_window: Verification
    preview: Preview
    preview_taken_at: datetime
    requires_approval: bool = True
    approval_prompt: str
    quorum: int = Field(ge=1)
    proposer: str
    author: str = ""
    """Who last changed what the playbook's text does; nobody approves their own text alone."""
    writers: tuple[str, ...] = ()
    """Everybody who wrote some of what it does, and so approves none of its steps."""
    undo_of: str | None = None
    """The operation that this packet takes back, when it is a rollback."""
    nonce: str
    created_at: datetime
    expires_at: datetime
    if_nothing: str

    @property
    def digest(self) -> str:
        """SHA-256 over the canonical bytes of the packet (RFC 8785); what an approval names."""
        return digest_of(self.model_dump(mode="json"))


class Approval(Noun):
    """One person's yes to one packet digest."""

    decision: str
    digest: str
    by: str
    channel: str
    reason: str
    at: datetime
    epoch: int


class Grant(Noun):
    """Leave to perform one exact act once. Comes only from approvals, by way of a committed intent."""

    op_id: str
    decision: str
    packet_digest: str
    action_digest: str
    incident_id: str
    approved_by: tuple[str, ...]
    not_after: datetime
    """On the target's clock; the target itself refuses the act afterwards."""
    settle_after: datetime
    """On our clock: from then on a lost outcome may be looked up."""
    system_identifier: str = ""
    """Which server must answer on the act session; empty in grants of earlier releases, which are never sent."""
    timeline: int = 0
    in_recovery: bool = False


def check_bytes(packet: DecisionPacket, digest: str) -> None:
    """Refuse an answer, also a repeated one, that is not for exactly these bytes."""
    if digest != packet.digest:
        raise conflict(
            "The packet changed since it was shown; this answer names another revision.",
            f"Read decision {packet.id} again and answer with its present digest.",
        )


def check_answer(packet: DecisionPacket, digest: str, now: datetime, epoch: int) -> None:
    """Refuse an answer that is not for this packet or comes too late; whoever may answer may say no."""
    check_bytes(packet, digest)
    if now >= packet.expires_at:
        raise Refusal(
            Code.GONE,
            f"Decision {packet.id} expired at {packet.expires_at.isoformat(timespec='seconds')}.",
            "The incident was escalated; look at its handoff.",
        )
    if epoch != packet.incident_epoch:
        raise conflict("The incident changed hands since this was asked.", "Wait for a new decision.")


def check_yes(packet: DecisionPacket, by: str) -> None:
    """Refuse a yes of the one who proposed the step or wrote its text. Their no counts as everybody's does."""
    if by.casefold() in interested(packet):
        raise forbidden(
            "Nobody approves what they proposed or wrote themselves.", "Ask another approver; denying it is yours, too."
        )


def interested(packet: DecisionPacket) -> frozenset[str]:
    """Whoever proposed the step or wrote some of its text, in any spelling: their yes never counts."""
    return frozenset({name.casefold() for name in (packet.proposer, packet.author, *packet.writers)} - {""})


TERMINAL = "cli"
"""The channel of whoever runs the program on the state itself; no token says who that is."""


def quorum_met(packet: DecisionPacket, approvals: tuple[Approval, ...]) -> bool:
    """Whether enough distinct people approved exactly these bytes."""
    good = tuple(a for a in approvals if a.digest == packet.digest and a.epoch == packet.incident_epoch)
    return people_among(packet, good) >= packet.quorum


def people_among(packet: DecisionPacket, approvals: tuple[Approval, ...]) -> int:
    """How many people these are, without who proposed or wrote it.

    Whoever sits at the terminal of the state itself names themselves: under several names they are one person.
    """
    people = {a.by.casefold(): a.channel for a in approvals if a.by.casefold() not in interested(packet)}
    named = [by for by in people if by.startswith("user:")]
    own_word = sum(people[by] == TERMINAL for by in named)
    return len(named) - max(0, own_word - 1)


class Reread(Noun):
    """What was read again just before the intent."""

    fingerprint: Fingerprint
    preview: Preview
    preconditions_hold: bool
    precondition_detail: str = ""
    at: datetime


def changed_since(packet: DecisionPacket, reread: Reread) -> str | None:
    """Why the approved act no longer fits the world, in one sentence; None when it still does."""
    if not reread.fingerprint.same_server(packet.fingerprint):
        return "The target is no longer the server that was shown: identity, timeline or recovery state changed."
    if not reread.preconditions_hold:
        return f"A precondition no longer holds: {reread.precondition_detail}"
    now_there = {_identity(row) for row in reread.preview.rows}
    shown = {_identity(row) for row in packet.act.identities}
    if packet.act.scope == "exact" and now_there != shown:
        gone, new = len(shown - now_there), len(now_there - shown)
        said = f"The preview changed: {gone} of the approved objects are gone, {new} are new."
        return said + _reused(packet, reread)
    if packet.act.scope == "bounded":
        if not now_there:
            return "Nothing is left for the approved step to do."
        if len(now_there) > packet.act.cap:
            return f"The preview now shows {len(now_there)} objects, more than the approved cap of {packet.act.cap}."
        if not now_there & shown:
            said = f"None of the {len(shown)} objects that were shown is there any more; others are in their place."
            return said + _reused(packet, reread)
    if reread.preview.writes and not packet.preview.writes:
        return "A session with uncommitted writes is now among the objects."
    return None


def _reused(packet: DecisionPacket, reread: Reread) -> str:
    """Which shown pids belong to other sessions now, as a sentence behind another; empty when none does."""
    began = {str(row["pid"]): str(row.get("backend_start")) for row in packet.act.identities if "pid" in row}
    there = {str(row["pid"]): str(row.get("backend_start")) for row in reread.preview.rows if "pid" in row}
    other = sorted(pid for pid, start in began.items() if there.get(pid, start) != start)
    return f" Pid {', '.join(other)} was reused by another session." if other else ""


def _identity(row: dict[str, Any]) -> str:
    keys = sorted(key for key in row if key in IDENTITY)
    return digest_of({key: row[key] for key in keys})


IDENTITY = frozenset({
    "pid", "backend_start", "slot_name", "schema", "table", "index", "oid", "setting", "role", "database", "source",
    "current", "state", "restart_lsn", "lacks",
})  # fmt: skip
"""Preview columns that say *which* object it is; ages and counters may differ between two looks. What a role `lacks` is
what is granted, and what the undo takes away again: a right that somebody granted by hand meanwhile is not ours. An
index made anew under the name of one that was dropped has another `oid`."""
