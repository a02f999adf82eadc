"""An incident that comes to no end: what hangs at its own work has failed; what nobody let go on says nothing."""

from datetime import UTC, datetime

import pytest

from ratchet.domain.drill import Drill, DrillRequest, Environment, Ground, Rejudged, Run
from ratchet.domain.fault import CausedObject, Fault
from ratchet.domain.incident import Status
from ratchet.domain.observed import Observed
from ratchet.lab import drill
from ratchet.lab.catalog import load_catalog
from ratchet.lab.ground import Caused

LEAK = load_catalog().faults["db-max-connections"]
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
GROUND = Ground(target="db-1", address="db1:5432/shop", system_identifier="7311", environment=Environment())


class Place:
    """Where everything can be caused and taken back."""

    def lacking(self, fault: Fault) -> tuple[str, ...]:
        return ()

    def unwell(self, fault: Fault) -> tuple[str, ...]:
        return ()

    def cause(self, fault: Fault, seed: int) -> Caused:
        return Caused(label="x1", took=True, objects=(CausedObject(kind="application", id="api"),))

    def mended(self, label: str) -> bool:
        return True

    def untouched(self, label: str) -> bool:
        return True

    def undo(self, label: str) -> str:
        return ""


class Stuck:
    """A desk whose incident stays as it is."""

    def __init__(self, status: Status) -> None:
        self.seen = Observed(
            incident="INC-1", status=status, resting=False, outcome="cause", cause=LEAK.spec.cause, confidence=0.9,
            steps=("end_idle_sessions",),
        )  # fmt: skip
        self.ended: list[str] = []

    def ground(self, target: str) -> Ground:
        return GROUND

    def start(self, request: DrillRequest) -> Drill:
        return Drill(incident="INC-1", **request.model_dump(exclude={"unattended", "quiet"}))

    def observed(self, reference: str) -> Observed:
        return self.seen

    def rejudge(self, reference: str) -> Rejudged:
        return Rejudged(same=True, because="the same")

    def end(self, reference: str, reason: str) -> None:
        self.ended.append(reference)


def ran(status: Status, monkeypatch: pytest.MonkeyPatch) -> Run:
    for name in ("NOTICED_AFTER_S", "REMEDY_LIMIT_S", "POLL_S"):
        monkeypatch.setattr(drill, name, 0.0)
    plan = drill.Plan(
        batch="a1b2c3d4", ground=GROUND, remediate=True, approve=lambda *_: None, now=lambda: NOW, new_id=lambda: "1"
    )
    desk = Stuck(status)
    run = drill.Drills(Place(), desk, plan).run(LEAK, 1, "named")
    assert desk.ended == ["INC-1"]
    return run


@pytest.mark.parametrize("status", ["triaging", "acting", "verifying"])
def test_what_hangs_at_its_own_work_has_failed_and_the_run_keeps_what_it_did(
    status: Status, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = ran(status, monkeypatch)
    assert (run.verdict, run.incident, run.cause, run.steps) == (
        "fail",
        "INC-1",
        LEAK.spec.cause,
        ("end_idle_sessions",),
    )
    assert f"still {status}" in next(part.because for part in run.score.broken if part.name == "end")


@pytest.mark.parametrize("status", ["open", "awaiting_approval"])
def test_what_nobody_begins_or_lets_go_on_says_nothing_of_the_playbook(
    status: Status, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = ran(status, monkeypatch)
    assert run.verdict == "error" and not run.score.parts and "still" in run.note
