"""Runs are held against the incidents that the same store has, and certificates against both."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ratchet.config import read_settings
from ratchet.desk.drill_contract import Practice
from ratchet.desk.views import GrantRequest
from ratchet.domain.certificate import Certificate, Certification, Tried
from ratchet.domain.drill import Environment, Run
from ratchet.domain.errors import Refusal
from ratchet.domain.fault import CausedObject, Fault, as_healthy
from ratchet.domain.grading import Aftermath, Sight, grade, verdict_of
from ratchet.domain.incident import Incident
from ratchet.domain.observed import observe
from ratchet.domain.score import Score
from ratchet.domain.target import Target
from ratchet.lab.catalog import load_catalog
from ratchet.security.principal import Principal
from ratchet.wiring import House, open_house
from tests.desk.lived import SERIES, Lived

LEAK = load_catalog().faults["db-max-connections"]
DRILL: dict[str, Any] = {"origin": "drill", "fault": LEAK.id}
BATCH = "a1b2c3d4"
ANA = Principal(kind="person", name="ana", role="approver", channel="cli")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    here = open_house(read_settings({}, tmp_path_factory.mktemp("runs") / "home"), lambda _: None)
    for name, of in (("shop-db", None), ("shop-db-replica", "shop-db"), ("other-db", None)):
        where = f"{name}:5432/shop"
        target = Target(name=name, kind="postgres", address=where, tags=("chaos",), replica_of=of)
        here.store.put_target(target, "user:ana")
    yield here
    here.close()


@pytest.fixture
def lived(house: House) -> Lived:
    return Lived(house.store)


@pytest.fixture
def drills(house: House) -> Practice:
    return house.desk(ANA).drills


def told(lived: Lived, incident: Incident, fault: Fault = LEAK, remediate: bool = True, **changes: Any) -> Run:
    """What the lab hands in of a drill that came to this end."""
    now = datetime.now(UTC)
    seen, caused = observe(incident, (), now), (CausedObject(kind="application", id="api"),)
    sight = Sight(
        fault=fault, caused=caused, observed=seen, rejudged=None, remediate=remediate,
        aftermath=Aftermath(mended=incident.resolved is not None, untouched=True),
    )  # fmt: skip
    score = grade(sight)
    facts = {
        "id": f"run_{incident.number}", "batch": BATCH, "fault": fault.id, "title": "x", "series": fault.spec.series,
        "seed": 1, "strength": "named", "target": "shop-db", "remediate": remediate, "started_at": incident.opened_at,
        "ended_at": now, "verdict": verdict_of(sight, score), "score": score, "expects": fault.spec.expects,
        "remedy": fault.spec.remedy, "expected_cause": fault.spec.cause, "caused": caused, "outcome": seen.outcome,
        "cause": seen.cause, "found": seen.found, "confidence": seen.confidence, "incident": incident.name,
        "status": seen.status, "steps": seen.steps, "trial": "faults",
        "environment": Environment(
            playbook=lived.version.pin, playbook_digest=lived.version.digest, server_version="150018"
        ),
    }  # fmt: skip
    return Run.model_validate({**facts, **changes})


def quiet(lived: Lived) -> Run:
    """A drill in which only the alert came, and was passed on."""
    seen = lived.handed_over(**DRILL, quiet=True)
    return told(lived, seen, as_healthy(LEAK), trial="healthy", caused=())


# --------------------------------------------------------------------------------------------------------------- runs


def test_what_the_lab_hands_in_is_kept_once_its_drill_is_over_however_it_ended(lived: Lived, drills: Practice) -> None:
    passed, failed = lived.acted(**DRILL), lived.acted(**DRILL, passed=False)
    runs = [
        told(lived, passed), told(lived, failed), told(lived, lived.judged(**DRILL), remediate=False), quiet(lived),
        told(lived, lived.judged(cause=None, **DRILL), remediate=False),
    ]  # fmt: skip
    nowhere, replica = lived.acted(**DRILL, target=None), lived.acted(**DRILL, target="shop-db-replica")
    runs += [told(lived, nowhere), told(lived, replica)]
    nothing = {"id": "run_lost", "incident": "", "verdict": "error", "score": Score(), "note": "the fault did not take"}
    runs.append(runs[0].model_copy(update=nothing))
    assert [run.verdict for run in runs] == ["pass", "fail", "diagnosed", "pass", "abstained", "pass", "pass", "error"]
    for run in runs:
        if run.incident:
            drills.end(run.incident, "over")
        drills.keep(run)
    assert {run.id for run in runs} <= {run.id for run in drills.runs()}


@pytest.mark.parametrize(
    "changes",
    [
        {"cause": "real_load"}, {"outcome": "ambiguous"}, {"confidence": 0.99}, {"found": ()}, {"steps": ()},
        {"steps": ("step_0", "step_0")}, {"target": "staging-db"}, {"fault": "pg-hot-row"}, {"incident": ""},
        {"incident": "INC-9999"}, {"score": Score()}, {"remedy": "none"}, {"expects": "nothing"},
        {"expected_cause": "real_load"}, {"series": "pbs_vacuum_triage"}, {"remediate": False},
        {"verdict": "diagnosed"}, {"left": "a table"}, {"ended_at": datetime(2099, 1, 1, tzinfo=UTC)},
        {"started_at": datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)},
        {"started_at": datetime(2025, 1, 1, tzinfo=UTC), "ended_at": datetime(2025, 1, 2, tzinfo=UTC)},
        {"environment": Environment(playbook_digest="sha256:other")}, {"fault": as_healthy(LEAK).id},
        {"caused": (CausedObject(kind="application", id="another"),)},
    ],
)  # fmt: skip
def test_a_pass_that_the_incident_does_not_bear_out_is_refused(
    lived: Lived, drills: Practice, changes: dict[str, Any]
) -> None:
    true = told(lived, lived.acted(**DRILL))
    with pytest.raises(Refusal) as refused:
        drills.keep(true.model_copy(update=changes))
    assert refused.value.remedy and true.id not in {run.id for run in drills.runs()}


def test_no_pass_comes_of_a_failure_a_quiet_drill_a_production_incident_or_a_drill_that_is_told_already(
    lived: Lived, drills: Practice
) -> None:
    good = told(lived, lived.acted(**DRILL))
    drills.keep(good)
    calm = quiet(lived)
    for wrong in (
        good.model_copy(update={"id": "run_again"}),
        told(lived, lived.acted(**DRILL, passed=False), verdict="pass", score=good.score),
        told(lived, lived.acted()),
        told(lived, lived.acted(**DRILL, target="other-db")),
        calm.model_copy(update={"fault": LEAK.id}),
        told(lived, lived.acted(**DRILL), as_healthy(LEAK), verdict="pass", score=calm.score),
        good.model_copy(update={"id": "run_error", "incident": "", "verdict": "error", "left": "a table"}),
    ):
        with pytest.raises(Refusal):
            drills.keep(wrong)


# ------------------------------------------------------------------------------------------------------- certificates


def claim(lived: Lived, *parts: Tried, **changes: Any) -> Certification:
    fields = {
        "series": SERIES, "playbook_digest": lived.version.digest, "target": "shop-db", "batch": BATCH,
        "faults": (LEAK.id,), "seeds": (1,), "tried": parts, **changes,
    }  # fmt: skip
    return Certification.model_validate(fields)


def part(name: Any, *runs: Run) -> Tried:
    return Tried(part=name, passed=True, because="so they say", runs=tuple(run.id for run in runs))


def kept(house: House, run: Run) -> Run:
    """Kept as it is, whatever the desk would say: this is about certificates."""
    house.store.put_run(run, "user:ana")
    return run


def test_every_part_that_its_runs_and_incidents_bear_out_is_passed(
    house: House, lived: Lived, drills: Practice
) -> None:
    own = kept(house, told(lived, lived.acted(**DRILL)))
    calm = kept(house, quiet(lived))
    twice = kept(house, told(lived, lived.acted(**DRILL), trial="double_fire"))
    lived.handed_over(group="another group ", **DRILL)
    died = kept(house, told(lived, lived.acted(**DRILL, lost=True), trial="crash"))
    parts = (part("faults", own), part("healthy", calm), part("double_fire", twice), part("crash", died))
    given = drills.certify(claim(lived, *parts))
    assert (given.passed, given.failed) == (("faults", "healthy", "double_fire", "crash"), ())
    assert (given.issued_at, given.expires_at) == (died.ended_at, own.ended_at + timedelta(days=30))
    assert given.causes == (LEAK.spec.cause,)
    wanted = GrantRequest(
        series=SERIES, step="end_idle_sessions", reason="weekly", tag="chaos", certificate=given.id, fault="pg-hot-row"
    )
    with pytest.raises(Refusal) as refused:
        house.desk(ANA).give_grant(wanted)
    assert "without the fault pg-hot-row" in refused.value.message


@pytest.mark.parametrize(
    ("told_as", "claimed"),
    [
        ({"trial": "crash"}, {}), ({"trial": ""}, {}), ({"target": "staging-db"}, {}), ({"seed": 2}, {}),
        ({"verdict": "fail"}, {}), ({"remediate": False}, {}), ({"series": "pbs_vacuum_triage"}, {}),
        ({"left": "a table"}, {}), ({}, {"seeds": (1, 2)}), ({}, {"faults": (LEAK.id, "pg-hot-row")}),
        ({"environment": Environment(playbook_digest="sha256:old", server_version="150018")}, {}),
    ],
)  # fmt: skip
def test_own_faults_are_passed_by_runs_of_each_under_every_seed_there_and_by_nothing_less(
    house: House, lived: Lived, drills: Practice, told_as: dict[str, Any], claimed: dict[str, Any]
) -> None:
    own = kept(house, told(lived, lived.acted(**DRILL), **told_as))
    given = drills.certify(claim(lived, part("faults", own), **claimed))
    assert (given.passed, given.failed) == ((), ("faults",))


def test_a_part_is_not_passed_where_a_step_came_twice_nothing_fired_again_or_nothing_died(
    house: House, lived: Lived, drills: Practice
) -> None:
    own = kept(house, told(lived, lived.acted(**DRILL)))
    twice = kept(house, told(lived, lived.acted(**DRILL), trial="double_fire"))
    died = kept(house, told(lived, lived.acted(**DRILL), trial="crash"))
    calm = kept(house, told(lived, lived.acted(**DRILL), trial="healthy"))
    parts = (part("double_fire", twice), part("crash", died), part("healthy", calm))
    assert drills.certify(claim(lived, part("faults", own), *parts)).failed == ("double_fire", "crash", "healthy")
    lived.acted(group="another group ", **DRILL)
    assert drills.certify(claim(lived, part("faults", own), *parts)).failed == ("double_fire", "crash", "healthy")


def test_runs_that_are_handed_in_again_make_no_younger_certificate_and_old_ones_none(
    house: House, lived: Lived, drills: Practice
) -> None:
    now = datetime.now(UTC)
    at = now - timedelta(days=10)
    older = kept(house, told(lived, lived.acted(**DRILL), started_at=at, ended_at=at))
    given: Certificate = drills.certify(claim(lived, part("faults", older)))
    assert (given.issued_at, given.expires_at, given.failed) == (at, at + timedelta(days=30), ())
    failed = drills.certify(claim(lived, part("faults", older), seeds=(1, 2)))
    worth = {one.certificate.id: one for one in drills.certificates(SERIES)}
    assert failed.failed and f"{failed.id} failed" in worth[given.id].because, "a failure counts from when it is told"
    past = now - timedelta(days=30)
    old = kept(house, told(lived, lived.acted(**DRILL), started_at=past, ended_at=past))
    crash = kept(house, told(lived, lived.acted(**DRILL, lost=True), trial="crash"))
    for wrong in (claim(lived, part("faults", old)), claim(lived, part("crash", crash))):
        with pytest.raises(Refusal):
            drills.certify(wrong)
