"""The five statuses, certificates and batches, over real records in a real store."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from ratchet import __version__
from ratchet.domain.certificate import Certificate, environment_of
from ratchet.domain.drill import Environment, Run
from ratchet.domain.escalation import Stop
from ratchet.domain.fault import Fault
from ratchet.domain.gate import Grant
from ratchet.domain.incident import Incident
from ratchet.domain.op import Op
from ratchet.domain.ports import Opening
from ratchet.domain.score import Part, Score
from ratchet.domain.series import Retired, Seeded, Version
from ratchet.domain.timeline import Verified
from ratchet.lab.catalog import load_catalog
from ratchet.store.store import EventStore
from ratchet.vault.coverage import CoverageLine, Now, covered
from ratchet.vault.report import Reports
from tests.store import walks

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)
FAULT = "db-lock-contention"
SERIES = "pbs_connection_triage"
DIGEST = "sha256:" + "a" * 64
TOOLS = "sha256:tools"
HERE = Environment(
    playbook=f"{SERIES}@1.0", playbook_digest=DIGEST, server_version="150018", tools_digest=TOOLS,
    ratchet_version=__version__,
)  # fmt: skip
PROVED = Score(parts=(Part(name="recovery", passed=True, weight=15, because="it held"),))


@cache
def catalogue() -> Mapping[str, Fault]:
    """What ships, read once."""
    return load_catalog([]).faults


class Vault:
    """A store with one active series, and the reports over it."""

    def __init__(self, home: Path) -> None:
        self.numbers = count(1)
        self.store = EventStore.open_at(home, lambda: NOW, lambda: f"id{next(self.numbers)}")
        self.faults = dict(catalogue())
        self.reports = Reports(self.store, self.faults, lambda: TOOLS, lambda: NOW)
        version = Version(
            id="pb_1", series=SERIES, version="1.0", name="Locks", title="Orders wait", source="system", text="x",
            digest=DIGEST, created_at=NOW, created_by="ratchet",
        )  # fmt: skip
        self.store.commit_series(self.store.series(SERIES), Seeded(version=version, active=True), by="ratchet")

    def ran(self, **changes: Any) -> Run:
        number = next(self.numbers)
        told = {
            "id": f"run_{number:04}", "batch": "a1b2c3d4", "fault": FAULT, "title": "Orders wait", "series": SERIES,
            "seed": 1, "strength": "named", "target": "staging-db", "remediate": True, "verdict": "pass",
            "started_at": NOW - DAY, "ended_at": NOW - DAY, "expected_cause": "lock_chain_root_blocker",
            "environment": HERE, "score": PROVED,
        }  # fmt: skip
        run = Run(**{**told, **changes})
        self.store.put_run(run, "user:ana")
        return run

    def certified(self, **changes: Any) -> None:
        told = {
            "id": f"cert_{next(self.numbers)}", "series": SERIES, "version_id": "pb_1", "playbook_digest": DIGEST,
            "issued_at": NOW - DAY, "expires_at": NOW + DAY, "environment": environment_of(150018), "faults": (FAULT,),
            "seeds": (1,), "passed": ("faults",), "runs": ("run_1",),
        }  # fmt: skip
        self.store.put_certificate(Certificate(**{**told, **changes}), "user:ana")

    def row(self, fault: str = FAULT, target: str = "") -> CoverageLine:
        return next(each for each in self.reports.coverage(target).items if each.fault == fault)


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    one = Vault(tmp_path / "state")
    yield one
    one.store.close()


def test_a_linked_fault_that_was_never_run_has_a_dash(vault: Vault):
    row = vault.row()
    assert (row.playbook, row.last_run, row.status, row.version, row.certificate) == (SERIES, None, "-", "1.0", "none")


def test_a_proved_recovery_passes_and_the_newest_run_decides(vault: Vault):
    passed = vault.ran()
    assert (vault.row().status, vault.row().last_run, vault.row().run) == ("PASS", passed.ended_at, passed.id)
    vault.ran(verdict="fail", ended_at=NOW - DAY / 2)
    assert vault.row().status == "FAIL"
    vault.ran(verdict="abstained", ended_at=NOW - DAY / 3)
    assert vault.row().status == "FAIL"


def test_a_pass_without_a_proved_recovery_is_none(vault: Vault):
    vault.ran(score=Score())
    assert vault.row().status == "FAIL"
    vault.ran(fault="pg-hot-row", remedy="handoff", score=Score())
    assert vault.row("pg-hot-row").status == "PASS", "the right stop is what this fault asks for"


def test_a_diagnosis_alone_never_makes_a_pass_and_takes_none_away(vault: Vault):
    vault.ran(verdict="diagnosed", remediate=False)
    row = vault.row()
    assert (row.status, row.last_run, row.newest) == ("-", None, "diagnosed")
    passed = vault.ran(ended_at=NOW - DAY / 2)
    vault.ran(verdict="diagnosed", remediate=False, ended_at=NOW - DAY / 3)
    row = vault.row()
    assert (row.status, row.last_run, row.newest) == ("PASS", passed.ended_at, "diagnosed")
    vault.ran(verdict="pass", remediate=False, fault="db-table-bloat")
    assert vault.row("db-table-bloat").status != "PASS"
    vault.ran(verdict="fail", remediate=False, ended_at=NOW - DAY / 4)
    assert vault.row().status == "FAIL", "a diagnosis that was wrong breaks the chain"


def test_a_drill_that_did_not_work_decides_nothing(vault: Vault):
    vault.ran()
    vault.ran(verdict="error", ended_at=NOW)
    undone = Part(name="undo", passed=False, weight=5, because="a table is left")
    vault.ran(verdict="error", left="a table", score=Score(parts=(undone,)), ended_at=NOW)
    row = vault.row()
    assert (row.status, row.newest) == ("PASS", "error")


def test_a_drill_that_left_something_and_was_wrong_besides_takes_the_older_proof_away(vault: Vault):
    vault.ran()
    unproved = Part(name="recovery", passed=False, weight=15, because="the customers are not served")
    vault.ran(verdict="error", left="a table", score=Score(parts=(unproved,)), trial="crash", ended_at=NOW)
    assert vault.row().status == "PASS"
    vault.ran(verdict="error", left="a table", score=Score(parts=(unproved,)), ended_at=NOW)
    assert vault.row().status == "FAIL"


def test_an_alert_fired_twice_or_a_killed_worker_is_for_the_certificate_to_tell(vault: Vault):
    vault.ran(trial="faults")
    for part in ("double_fire", "crash"):
        vault.ran(verdict="fail", trial=part, ended_at=NOW)
    assert vault.row().status == "PASS"
    assert [(each.passed, each.samples) for each in vault.reports.status(30).batches] == [(1, 1)]


def test_a_fault_without_a_series_and_one_whose_series_is_unknown_say_so(vault: Vault):
    vault.ran()
    alone = vault.faults[FAULT].model_dump(by_alias=True)
    del alone["spec"]["series"]
    vault.faults[FAULT] = Fault.model_validate(alone)
    assert (vault.row().status, vault.row().playbook) == ("NO PLAYBOOK", "")
    assert vault.row("db-table-bloat").status == "PLAYBOOK NOT FOUND"


def test_a_series_without_an_active_version_is_no_playbook(vault: Vault):
    vault.ran()
    vault.store.commit_series(
        vault.store.series(SERIES), Retired(version_id="pb_1", by="user:ana", reason="wrong"), by="user:ana"
    )
    assert vault.row().status == "NO PLAYBOOK"


def test_a_target_narrows_the_runs(vault: Vault):
    vault.ran()
    vault.ran(verdict="fail", target="other-db", ended_at=NOW - DAY / 2)
    assert [vault.row(target=name).status for name in ("", "staging-db", "other-db", "third-db")] == [
        "FAIL", "PASS", "FAIL", "-",
    ]  # fmt: skip


def test_an_alias_is_shown_with_its_fault_and_not_as_another(vault: Vault):
    names = [each.fault for each in vault.reports.coverage().items]
    assert len(names) == len(set(names)) == len(vault.faults)
    assert "pg-lock-chain" not in names and vault.row().aliases == ("pg-lock-chain",)


@pytest.mark.parametrize(
    ("where", "changed"),
    [
        ({}, ()), ({"ratchet_version": "0.0.1"}, ("ratchet",)), ({"tools_digest": "sha256:old"}, ("tools",)),
        ({"playbook_digest": "sha256:old"}, ("playbook",)), ({"playbook_digest": "", "tools_digest": ""}, ()),
        ({"playbook": "pbs_other@1.0", "playbook_digest": "sha256:other"}, ()),
    ],
)  # fmt: skip
def test_what_changed_since_the_deciding_run_is_named(vault: Vault, where: dict[str, str], changed: tuple[str, ...]):
    vault.ran(environment=HERE.model_copy(update=where))
    assert (vault.row().status, vault.row().changed) == ("PASS", changed)


def test_a_certificate_is_valid_for_its_fault_text_and_environment(vault: Vault):
    vault.certified()
    assert (vault.row().certificate, vault.row("pg-hot-row").certificate) == ("valid", "none")
    vault.ran(environment=HERE.model_copy(update={"server_version": "180001"}))
    assert vault.row().certificate == "expired" and "postgres 18" in vault.row().certificate_because


@pytest.mark.parametrize(
    ("changes", "because"),
    [
        ({"issued_at": NOW - 9 * DAY, "expires_at": NOW - 2 * DAY}, "it expired at"),
        ({"playbook_digest": "sha256:old"}, "not the active one"),
        ({"environment": "postgres 15, ratchet 0.0.1"}, "here it is ratchet"), ({"revoked": "a mistake"}, "revoked"),
    ],
)  # fmt: skip
def test_a_certificate_that_no_longer_counts_says_why(vault: Vault, changes: dict[str, Any], because: str):
    vault.certified(**changes)
    assert vault.row().certificate == "expired"
    assert because in vault.row().certificate_because


def test_a_certification_that_failed_ends_the_one_before(vault: Vault):
    vault.certified()
    vault.certified(issued_at=NOW - DAY / 2, failed=("crash",))
    assert vault.row().certificate == "expired"


def test_batches_are_lines_with_their_pass_rate_oldest_first(vault: Vault):
    for n in range(10):
        vault.ran(batch="00000001", verdict="pass" if n < 7 else "fail", ended_at=NOW - 20 * DAY)
    vault.ran(batch="00000001", verdict="error", ended_at=NOW - 20 * DAY)
    vault.ran(batch="00000002", verdict="diagnosed", remediate=False, ended_at=NOW - 3 * DAY)
    vault.ran(batch="00000003", ended_at=NOW - 40 * DAY)
    found = vault.reports.status(30)
    assert [(each.run_id, each.passed, each.samples, each.errors) for each in found.batches] == [
        ("00000001", 7, 10, 1), ("00000002", 0, 0, 0),
    ]  # fmt: skip
    assert (found.batches[1].diagnosed, found.batches[1].diagnoses) == (1, 1)
    assert (found.targets, found.whole) == (("staging-db",), True)


def test_a_batch_that_began_before_the_window_is_counted_whole(vault: Vault):
    vault.ran(batch="00000001", verdict="fail", ended_at=NOW - 30 * DAY - DAY / 8)
    vault.ran(batch="00000001", ended_at=NOW - 30 * DAY + DAY / 8)
    found = vault.reports.status(30)
    assert [(each.passed, each.samples) for each in found.batches] == [(1, 2)]


def test_the_largest_drop_comes_first_and_what_is_left_out_is_counted(vault: Vault):
    for n in range(4):
        when = NOW - (8 - n) * DAY
        vault.ran(verdict="pass" if n < 2 else "fail", ended_at=when)
        vault.ran(fault="db-table-bloat", ended_at=when)
    vault.ran(fault="pg-hot-row", verdict="error")
    vault.ran(fault="pg-hot-row", verdict="diagnosed", remediate=False)
    found = vault.reports.drift(90)
    assert [(each.fault, each.points) for each in found.faults] == [(FAULT, -100.0), ("db-table-bloat", 0.0)]
    assert (found.errors, found.diagnoses) == (1, 1)
    assert vault.reports.drift(1).faults == ()


def proved_drill() -> Incident:
    """A drill that nobody graded: an act was followed by a recovery that had failed before."""
    grant = Grant(
        op_id="i.1", decision="d", packet_digest="p", action_digest="a", incident_id="i", approved_by=("user:ana",),
        not_after=NOW, settle_after=NOW,
    )  # fmt: skip
    found = walks.conclusion()
    leading = found.hypotheses[0].model_copy(update={"cause": "lock_chain_root_blocker"})
    return Incident(
        id="i", number=7, origin="drill", fault=FAULT, status="resolved", target="shop-db", updated_at=NOW,
        conclusion=found.model_copy(update={"cause": leading.cause, "hypotheses": (leading,)}),
        ops=(Op(grant=grant, step="s", attempt=1, state="done", intended_at=NOW, before=False),),
        verified=Verified(passed=True, samples=3, sustained_seconds=3, because="it held"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, "PASS"), ({"verified": None}, "FAIL"), ({"ops": ()}, "FAIL"), ({"conclusion": None}, "FAIL"),
        ({"conclusion": walks.conclusion()}, "FAIL"), ({"status": "escalated"}, "FAIL"),
    ],
)  # fmt: skip
def test_a_drill_that_nobody_graded_passes_by_a_recovery_that_its_act_brought(
    vault: Vault, changes: dict[str, Any], status: str
):
    drill = proved_drill().model_copy(update=changes)
    row = covered(vault.faults[FAULT], vault.store.series(SERIES), [], Now(NOW, TOOLS, [], {FAULT: drill}))
    assert (row.status, row.incident, row.run) == (status, "INC-7", "")


def test_a_graded_run_decides_before_a_drill_that_nobody_graded(vault: Vault):
    opening = Opening(incident_id="i", target="shop-db", target_reason="it said so", origin="drill", fault=FAULT)
    vault.store.receive([walks.alert()], lambda *_: opening, "source:am")
    assert vault.row().status == "-", "it is under way"
    vault.store.commit(
        vault.store.incident("i"), walks.handoff(vault.store.incident("i"), NOW, Stop.UNKNOWN_CAUSE), by="ratchet",
        wake_at=None,
    )  # fmt: skip
    row = vault.row()
    assert (row.status, row.incident) == ("FAIL", "INC-1")
    assert vault.row(target="other-db").status == "-"
    vault.ran(verdict="diagnosed", remediate=False, incident="INC-1")
    assert vault.row().status == "-", "a run tells of it, and decides nothing"
    vault.ran()
    assert vault.row().status == "PASS"
