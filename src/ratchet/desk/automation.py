"""The kill switch as a person sees it: paused or not, by whom and why, and what may still land."""

from ratchet.desk.hands_over import person
from ratchet.desk.views import AutomationView, InFlightView
from ratchet.domain.incident import Incident
from ratchet.domain.ports import Store
from ratchet.domain.spoken import spoken
from ratchet.security.principal import Principal


class Automation:
    """Pause, resume and how it stands."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def pause(self, who: Principal, reason: str) -> None:
        """From now on no act is begun on any target; what was sent may still land."""
        self._store.pause(person(who, "pause the automation"), spoken(reason, "A reason"))

    def resume(self, who: Principal, reason: str) -> None:
        """Acts may begin again; approved steps that waited go on by themselves."""
        self._store.resume(person(who, "resume the automation"), spoken(reason, "A reason"))

    def view(self) -> AutomationView:
        """How it stands now."""
        paused = self._store.paused()
        flying = tuple(one for one in map(_in_flight, self._store.holding()) if one is not None)
        return AutomationView(paused=bool(paused), because=paused, in_flight=flying)


def _in_flight(incident: Incident) -> InFlightView | None:
    op, until = incident.op, incident.may_land
    if op is None or until is None:
        return None
    return InFlightView(
        incident=incident.name, op=op.grant.op_id, step=op.step, target=incident.target or "", may_land_until=until
    )
