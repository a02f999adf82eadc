"""Incidents as they are lived, written into a real store: seen, judged, acted on or handed over, and rated."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ratchet.domain import timeline as e
from ratchet.domain.alert import Alert
from ratchet.domain.escalation import Stop
from ratchet.domain.hypothesis import Conclusion, Found, Hypothesis
from ratchet.domain.incident import Incident
from ratchet.domain.series import Version
from ratchet.store.store import EventStore
from tests.store.walks import handoff, intended, packet, plan

SERIES = "pbs_connection_triage"
LEAK, LOAD, STORM = "connection_exhaustion_idle_leak", "real_load", "connection_storm"


def concluded(version: Version, cause: str | None, confidence: float = 0.9) -> Conclusion:
    """A conclusion of that version; without a cause it says that it does not know."""
    if cause is None:
        return Conclusion(outcome="unknown_cause", why="none is confirmed")
    leading = Hypothesis(
        id="h", playbook=version.pin, version_id=version.id, title="It leaks", cause=cause, verdict="confirmed",
        prior=0.5, confidence=confidence, objects=(Found(kind="application", id="api", name="api"),), then=("end",),
    )  # fmt: skip
    return Conclusion(outcome="cause", cause=cause, confidence=confidence, hypotheses=(leading,), chosen=0, why="so")


@dataclass
class Lived:
    """Writes incidents; `ago` is how many seconds before its opening the alert fired."""

    store: EventStore
    ago: float = 20.0

    @property
    def version(self) -> Version:
        active = self.store.series(SERIES).active
        assert active is not None
        return active

    def open(self, *, service: str = "shop", alert: str = "TooMany", group: str = "", **opened: Any) -> Incident:
        """An incident under the next number; `opened` is what else its first event says. Its id follows `group`."""
        now, name = self.store.high_water(), f"i{self.store.audit.head().position}"

        def build(number: int) -> e.Opened:
            fired = Alert(
                source="am", fingerprint=f"f{number}", starts_at=now - timedelta(seconds=self.ago),
                labels={"alertname": alert, "service": service}, group_key=f"{group}{name}",
            )  # fmt: skip
            return e.Opened(
                **{"number": number, "alert": fired, "target": "shop-db", "target_reason": "label", **opened}
            )

        return self.store.open(name, build, "ratchet")

    def judged(self, cause: str | None = LEAK, confidence: float = 0.9, **opening: Any) -> Incident:
        """Looked at and concluded."""
        looked = e.Looked(candidates=(self.version.pin,), evidence=(), answers={"sessions": "ok"}, elapsed_ms=500)
        said = e.Concluded(conclusion=concluded(self.version, cause, confidence))
        return self.put(self.open(**opening), looked, said)

    def acted(self, cause: str = LEAK, *, passed: bool = True, lost: bool = False, **more: Any) -> Incident:
        """Acted on after a yes, `lost` when the answer was looked for; proved and resolved, or not and handed over."""
        seen = self.judged(cause, **more)
        text = {"playbook": self.version.pin, "version_id": self.version.id, "playbook_digest": self.version.digest}
        bound = plan().model_copy(update=text)
        now = self.store.high_water()
        seen = self.put(seen, e.Planned(plan=bound))
        seen = self.put(seen, e.Asked(packet=packet(seen, now)))
        seen = self.put(seen, intended(seen, now))
        op_id = seen.ops[0].grant.op_id
        done: e.Event = e.Acted(op_id=op_id, outcome="done", started_at=now, ended_at=now, return_code="SELECT 1")
        if lost:
            seen = self.put(seen, e.Doubted(op_id=op_id, because="nobody answered", error_category="lost"))
            done = e.Settled(op_id=op_id, took="yes", because="it is gone")
        seen = self.put(seen, done, e.Verified(passed=passed, samples=4, sustained_seconds=3, because="looked"))
        if not passed:
            return self.put(seen, handoff(seen, now, Stop.BY_PERSON))
        return self.put(seen, e.Resolved(by="ratchet", cause=cause, because="proved"))

    def handed_over(self, cause: str | None = None, **more: Any) -> Incident:
        """Escalated before anything was done."""
        seen = self.judged(cause, **more)
        return self.put(seen, handoff(seen, self.store.high_water(), Stop.BY_PERSON))

    def put(self, seen: Incident, *events: e.Event, by: str = "ratchet") -> Incident:
        return self.store.commit(seen, *events, by=by, wake_at=None)
