"""Answering decisions: the one place where a person's yes or no enters a timeline."""

from collections.abc import Callable

from ratchet.desk.incidents import decision_view
from ratchet.desk.views import DecisionView
from ratchet.domain.errors import Code, Refusal, conflict
from ratchet.domain.gate import Approval, DecisionPacket, check_answer, check_bytes, check_yes
from ratchet.domain.incident import Incident
from ratchet.domain.ports import Clock, DecisionRow, Store
from ratchet.domain.timeline import Granted, Refused
from ratchet.security.principal import Principal

TRIES = 5
"""How often an answer is tried again when the timeline moved for another reason, such as a repeated alert."""


class Answers:
    """Approve and deny, bound to the packet's digest."""

    def __init__(self, store: Store, clock: Clock, scrub: Callable[[str], str]) -> None:
        """`scrub` takes secrets out of a reason."""
        self._store = store
        self._clock = clock
        self._scrub = scrub

    def answer(self, who: Principal, decision_id: str, digest: str, said: tuple[bool, str]) -> DecisionView:
        """Record a yes or no (`said` = yes, reason). The same person's repeat of the same digest gives the first
        answer; a repeat that names other bytes is no repeat, and is refused."""
        said = (said[0], self._scrub(said[1]))
        for attempt in range(TRIES):
            incident = self._store.incident(self._store.decision(decision_id)[0].incident)
            # After the incident: a no that comes between the two reads is then seen here, or moves the incident.
            row, packet = self._store.decision(decision_id)
            if row.state != "pending" and not (_takes_back(row, incident) and not said[0]):
                return self._already(who, row, packet, (digest, said[0]))
            try:
                return self._commit(who, incident, packet, (digest, *said))
            except Refusal as no:
                if no.code is not Code.CONFLICT or attempt + 1 == TRIES or self._moved(no):
                    raise
        raise conflict("The incident kept moving.", "Read the decision again.")

    @staticmethod
    def _moved(no: Refusal) -> bool:
        """Whether the conflict is about the packet itself, which trying again cannot mend."""
        return "packet" in no.message or "hands" in no.message

    def _commit(
        self, who: Principal, incident: Incident, packet: DecisionPacket, said: tuple[str, bool, str]
    ) -> DecisionView:
        digest, yes, reason = said
        now = self._clock()
        earlier = [a for a in incident.approvals if a.decision == packet.id and a.by.casefold() == who.id.casefold()]
        if earlier and yes:
            check_bytes(packet, digest)
            return self.view(packet.id)
        check_answer(packet, digest, now, incident.epoch)
        if yes:
            check_yes(packet, who.id)
            approval = Approval(
                decision=packet.id, digest=digest, by=who.id, channel=who.channel, reason=reason, at=now,
                epoch=incident.epoch,
            )  # fmt: skip
            self._store.commit(incident, Granted(approval=approval), by=who.id, wake_at=now)
        else:
            refused = Refused(decision=packet.id, digest=digest, by=who.id, reason=reason)
            self._store.commit(incident, refused, by=who.id, wake_at=now)
        return self.view(packet.id)

    def _already(
        self, who: Principal, row: DecisionRow, packet: DecisionPacket, said: tuple[str, bool]
    ) -> DecisionView:
        digest, yes = said
        view = decision_view(row, packet, self._store.timeline(row.incident))
        if (view.answered_by or "").casefold() == who.id.casefold() and (row.state == "approved") == yes:
            check_bytes(packet, digest)
            return view
        match row.state:
            case "expired":
                raise Refusal(Code.GONE, f"Decision {row.id} expired.", "Look at the incident's handoff.")
            case "superseded":
                remedy = f"Read {row.incident_name}: there may be a new packet to answer."
                raise conflict(
                    f"Decision {row.id} counts no longer: a newer packet or a person who took over replaced it.", remedy
                )
            case _:
                message = f"Decision {row.id} was already {row.state} by {view.answered_by}."
                raise conflict(message, f"Look at {row.incident_name}.")

    def view(self, decision_id: str) -> DecisionView:
        """One decision with its packet and answer."""
        row, packet = self._store.decision(decision_id)
        return decision_view(row, packet, self._store.timeline(row.incident))


def _takes_back(row: DecisionRow, incident: Incident) -> bool:
    """Whether a no still stops it: it was approved, and nothing was begun on it yet."""
    asked = incident.packet
    waits = incident.status == "awaiting_approval" and asked is not None and asked.id == row.id
    return row.state == "approved" and waits
