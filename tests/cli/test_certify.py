"""A playbook text is certified over a real lab, the worker killed once; what is claimed is held against the runs."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.main import get_command

from ratchet.cli import server_file
from ratchet.cli.commands import playbook
from ratchet.cli.commands.playbook_certify import NOT_BORNE_OUT, tell
from ratchet.cli.faults.certification import Course, certify
from ratchet.cli.given import Given
from ratchet.cli.road import road
from ratchet.domain.certificate import Certification, Tried
from ratchet.domain.drill import Environment, Ground
from ratchet.domain.errors import Refusal
from ratchet.domain.fault import Fault
from ratchet.lab.catalog import load_catalog
from ratchet.lab.certify import Cases, Certifier, cases_of
from ratchet.lab.drill import Plan
from tests.cli.conftest import Shell
from tests.gateway.paper_drills import NOON, certificate

SERIES = "pbs_vacuum_triage"
BLOAT, OTHERS = "db-table-bloat", "db-idle-in-transaction"


def lean(*look_alikes: str) -> Cases:
    """One fault of its own, and these beside it."""
    catalog = load_catalog()
    return Cases(SERIES, (catalog.find(BLOAT),), tuple(catalog.find(name) for name in look_alikes))


class Place:
    """A place that has not what one fault needs; nothing else is asked of it."""

    def __init__(self, without: str) -> None:
        self._without = without

    def lacking(self, fault: Fault) -> tuple[str, ...]:
        return ("a replica", "PgBouncer") if fault.id == self._without else ()


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> typer.Context:
    for name in [name for name in os.environ if name.startswith(("RATCHET_", "HELPDESK_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HELPDESK_FAULT_HISTORY_FILE", str(tmp_path / "history.json"))
    monkeypatch.setenv("RATCHET_PERSON", "ana")
    return typer.Context(get_command(playbook.app), obj=Given(home=str(tmp_path / "home")))


@pytest.mark.postgres
@pytest.mark.skipif(not os.environ.get("RATCHET_ALL_FAULTS"), reason="five drills in a row: make faults-check")
def test_every_part_is_tried_by_drill_and_the_certificate_counts_until_a_later_one_fails(
    context: typer.Context, tmp_path: Path
) -> None:
    shell = Shell(tmp_path / "home")
    assert shell("lab", "up", "--no-replica", "--no-pgbouncer").returncode == 0
    try:
        course = Course(lean(OTHERS), (1,))
        first = certify(context, course, None)
    finally:
        assert shell("lab", "down").returncode == 0
    assert (first.passed, first.failed) == (("faults", "look_alikes", "healthy", "double_fire", "crash"), ()), course
    assert set(first.runs) == {run.id for run in course.runs} and first.target == "shop-db" and first.settings_hash
    assert certificates(shell) == [(first.id, "")]
    with road(context) as here:
        claimed = Certification(
            series=SERIES, playbook_digest=course.digest, target="shop-db", batch=course.batch, faults=(BLOAT,),
            seeds=(1,), tried=(Tried(part="faults", passed=True, because="so they say", runs=course.tried[1].runs),),
        )  # fmt: skip
        second = here.desk.drills.certify(claimed)
        assert second.failed == ("faults",), "a run of another series proves none of its own"
        for wrong in ({"batch": "00000000"}, {"playbook_digest": "sha256:old"}, {"target": "nowhere"}):
            with pytest.raises(Refusal):
                here.desk.drills.certify(claimed.model_copy(update=wrong))
    told = certificates(shell)
    assert [name for name, _ in told] == [second.id, first.id]
    assert "faults" in told[0][1] and f"{second.id} failed" in told[1][1]
    assert f"{second.id}: its certificate" in shell("playbook", "show", SERIES).stdout
    assert shell("audit", "verify").returncode == 0
    assert server_file.running(tmp_path / "home") is None, "the server that was killed and the one after it are gone"


def certificates(shell: Shell) -> list[tuple[str, str]]:
    """Each with the reason why it does not count."""
    told = json.loads(shell("playbook", "certificates", "-o", "json").stdout)["items"]
    return [(each["certificate"]["id"], each["because"]) for each in told]


def test_what_could_not_be_tried_is_told_one_by_one_and_stands_below_what_is_certified(
    capsys: pytest.CaptureFixture[str],
) -> None:
    cases = cases_of(load_catalog().faults, SERIES, 4)
    place: Any = Place(without="pg-xid-age")
    ground = Ground(target="db-1", address="db1:5432/shop", system_identifier="7311", environment=Environment())
    plan = Plan(
        batch="a1b2c3d4", ground=ground, remediate=True, approve=lambda *_: None, now=lambda: NOON, new_id=lambda: "1"
    )
    desk: Any = None
    lacking = Certifier(place, desk, plan, lambda *_: None).lacking(cases)
    assert lacking == {"pg-xid-age": "a replica and PgBouncer"}
    crash = Tried(part="crash", passed=True, because="1 of 1 runs", runs=("run_1",))
    course = Course(cases, (1,), tried=[crash], left_out=lacking)
    assert course.untried == ("pg-xid-age",)
    tell(course, certificate().model_copy(update={"failed": ()}))
    said = capsys.readouterr().out
    assert "crash       FAIL" in said and NOT_BORNE_OUT in said, "what the desk does not bear out is told as that"
    assert "pg-xid-age  NOT RUN" in said and "without pg-xid-age: not tried here" in said


def test_look_alikes_are_the_controls_and_faults_of_others_with_the_same_symptom() -> None:
    faults = load_catalog().faults
    cases = cases_of(faults, SERIES, 4)
    assert {each.id for each in cases.own} == {BLOAT, "pg-autovacuum-off", "pg-xid-age"}
    controls = {each.id for each in faults.values() if each.spec.control}
    others = [each for each in cases.look_alikes if not each.spec.control]
    assert {each.id for each in cases.look_alikes if each.spec.control} == controls
    assert 0 < len(others) <= 4 and all(each.spec.series not in ("", SERIES) for each in others)
