"""Drills in which only the alert of a fault comes: nothing is wrong, and nothing may be claimed or done."""

from ratchet.domain.drill import Drill, DrillRequest, Ground, Rejudged
from ratchet.domain.fault import Fault
from ratchet.domain.observed import Observed
from ratchet.lab.drill import Drilling, Drills, Plan
from ratchet.lab.ground import Caused, FaultGround


def quiet_drills(place: FaultGround, desk: Drilling, plan: Plan, fault: Fault) -> Drills:
    """Drills that hand in the alert of `fault` and cause nothing; run them with `as_healthy(fault)`."""
    return Drills(_Nothing(place, fault), _Called(desk, fault.id), plan)


class _Nothing:
    """A ground on which nothing is caused."""

    def __init__(self, place: FaultGround, fault: Fault) -> None:
        self._place = place
        self._fault = fault

    def lacking(self, fault: Fault) -> tuple[str, ...]:  # noqa: ARG002 - the shape is FaultGround's, here and below
        return self._place.lacking(self._fault)

    def unwell(self, fault: Fault) -> tuple[str, ...]:  # noqa: ARG002
        return self._place.unwell(self._fault)

    def cause(self, fault: Fault, seed: int) -> Caused:  # noqa: ARG002
        return Caused(label="nothing", took=True)

    def mended(self, label: str) -> bool:  # noqa: ARG002
        return True

    def untouched(self, label: str) -> bool:  # noqa: ARG002
        return True

    def undo(self, label: str) -> str:  # noqa: ARG002
        return ""


class _Called:
    """A desk that is told a fault by the name that the catalogue has for it."""

    def __init__(self, desk: Drilling, fault: str) -> None:
        self._desk = desk
        self._fault = fault

    def ground(self, target: str) -> Ground:
        return self._desk.ground(target)

    def start(self, request: DrillRequest) -> Drill:
        return self._desk.start(request.model_copy(update={"fault": self._fault, "quiet": True}))

    def observed(self, reference: str) -> Observed:
        return self._desk.observed(reference)

    def rejudge(self, reference: str) -> Rejudged:
        return self._desk.rejudge(reference)

    def end(self, reference: str, reason: str) -> None:
        self._desk.end(reference, reason)
