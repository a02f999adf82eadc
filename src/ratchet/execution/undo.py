"""Taking a step back: a packet of its own, and the proof that the state is again what it was."""

from collections.abc import Callable
from datetime import timedelta

from ratchet.domain.escalation import Stop
from ratchet.domain.evidence import Evidence
from ratchet.domain.gate import IDENTITY, DecisionPacket
from ratchet.domain.incident import Incident
from ratchet.domain.noun import digest_of
from ratchet.domain.plan import Preview, Undo
from ratchet.domain.ports import Clock, Toolbox
from ratchet.domain.timeline import RolledBack
from ratchet.execution.stopped import Stopped
from ratchet.execution.who import who_answers

TAKE_BACK = "Take back: "


class Undoing:
    """Rolls a step back behind the same gate as the step itself."""

    def __init__(self, toolbox: Toolbox, clock: Clock, new_id: Callable[[], str]) -> None:
        self._toolbox = toolbox
        self._clock = clock
        self._new_id = new_id

    def ask(self, incident: Incident) -> DecisionPacket:
        """The packet that takes the last step back; its preview is the state that must come back."""
        done, op = incident.packet, incident.op
        if done is None or op is None:
            raise Stopped(Stop.ERROR, "There is no step to take back.")
        fingerprint = self._toolbox.fingerprint(done.act.target)
        if isinstance(fingerprint, Evidence):
            raise Stopped(Stop.FIX_FAILED, f"Recovery was not proved, and {done.act.target} no longer answers.")
        if not fingerprint.same_server(done.fingerprint):
            other = f"another server answers for {done.act.target} than the one that the step was done on"
            raise Stopped(Stop.FIX_FAILED, f"Recovery was not proved, and {other}. Nothing is taken back there.")
        left = self._toolbox.left(done.act, op.grant)
        if left.verdict != "yes":
            other = f"the state is no longer the one that the step left: {left.because}"
            raise Stopped(Stop.FIX_FAILED, f"Recovery was not proved, and {other}. Nothing is taken back.")
        act = done.act.model_copy(
            update={
                "statements": done.act.undo.statements,
                "scope": "exact",
                "undo": Undo.none("it is itself the way back"),
            }
        )
        now = self._clock()
        lasts = done.expires_at - done.created_at
        return done.model_copy(
            update={
                "id": "dec_" + self._new_id(), "revision": incident.revision + 1, "title": TAKE_BACK + done.title,
                "act": act, "action_digest": act.digest, "fingerprint": fingerprint, "undo_of": op.grant.op_id,
                "approval_prompt": f"Recovery was not proved. Take back: {done.title}? {done.act.undo.note}",
                "rollback_plan": "none; this is the way back", "nonce": self._new_id(), "created_at": now,
                "preconditions": (), "precondition_checks": (), "expires_at": now + max(lasts, timedelta(seconds=1)),
                "verification": ("the state is again what it was before the step",),
            }
        )  # fmt: skip

    def prove(self, incident: Incident) -> RolledBack:
        """Compare the state with the one before the step, object by object."""
        packet = incident.packet
        if packet is None or packet.undo_of is None:
            raise Stopped(Stop.ERROR, "There is no rollback to prove.")
        now_there = self._toolbox.preview(packet.act.target, packet.act.tool, packet.act.args)
        if isinstance(now_there, Evidence):
            because = f"It was rolled back, but the state could not be read: {now_there.answer.value}."
            return RolledBack(op_id=packet.undo_of, proved=None, because=because)
        who = who_answers(self._toolbox, packet)
        if not who.same:
            because = f"It was rolled back, but nobody can tell whether the state came back: {who.because}"
            return RolledBack(op_id=packet.undo_of, proved=None, because=because)
        same = _identities(now_there) == _identities(packet.preview)
        because = (
            "It was rolled back; the state is again what it was before the step."
            if same
            else "It was rolled back, but the state differs from what it was before the step."
        )
        return RolledBack(op_id=packet.undo_of, proved=same, because=because)


def _identities(preview: Preview) -> set[str]:
    return {digest_of({key: row[key] for key in sorted(row) if key in IDENTITY}) for row in preview.rows}
