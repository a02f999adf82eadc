"""Certificates end with the tools that they were given with; what a part amounts to is judged without mercy."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from ratchet.config import read_settings
from ratchet.desk.certifying import settled
from ratchet.domain.certificate import Certificate
from ratchet.domain.drill import Environment, Run
from ratchet.domain.trial import declined, repeated
from ratchet.lab.certify import tried
from ratchet.wiring import open_house

NOW = datetime.now(UTC)
SERIES = "pbs_vacuum_triage"


def certificate(name: str, **changes: object) -> Certificate:
    fields = {
        "id": name, "series": SERIES, "version_id": "pb_1", "playbook_digest": "sha256:aa", "issued_at": NOW,
        "expires_at": NOW + timedelta(days=1), "environment": "postgres 15, ratchet 0", "faults": ("db-table-bloat",),
        "seeds": (1,), "passed": ("faults",), "runs": ("run_1",), **changes,
    }  # fmt: skip
    return Certificate.model_validate(fields)


def run(**changes: object) -> Run:
    fields = {
        "id": "run_1", "batch": "a1b2c3d4", "fault": "db-table-bloat", "title": "Dead rows", "series": SERIES,
        "seed": 1, "strength": "named", "target": "shop-db", "remediate": True, "started_at": NOW, "ended_at": NOW,
        "verdict": "pass", "expected_cause": "x_y_z", **changes,
    }  # fmt: skip
    return Run.model_validate(fields)


def test_a_certificate_that_was_given_with_other_tools_ends_when_the_house_opens(tmp_path: Path) -> None:
    settings = read_settings({}, tmp_path / "home")
    house = open_house(settings, lambda line: None)
    try:
        for name, tools in (("crt_old", "sha256:other"), ("crt_any", "")):
            house.store.put_certificate(certificate(name, tools_digest=tools), "user:ana")
    finally:
        house.close()
    house = open_house(settings, lambda line: None)
    try:
        proofs = {one.certificate.id: one for one in house.desk(house.operator()).drills.certificates(SERIES)}
    finally:
        house.close()
    assert "tools are others now" in proofs["crt_old"].because and not proofs["crt_old"].counts
    assert proofs["crt_any"].because == "the active text is another one"


def test_a_step_that_took_effect_twice_or_never_is_told() -> None:
    assert repeated(("a", "b")) == ""
    assert repeated(("a", "b", "a")) == ": a took effect more than once"
    assert repeated(()) == ": nothing was done"


def test_a_series_declines_what_it_neither_claims_nor_touches_and_an_error_declines_nothing() -> None:
    own, other = Environment(playbook=f"{SERIES}@1.0"), Environment(playbook="pbs_connection_triage@1.0")
    assert declined(run(environment=other, outcome="cause", verdict="diagnosed"), SERIES)
    assert declined(run(environment=own, outcome="unknown_cause", verdict="abstained"), SERIES)
    assert not declined(run(environment=own, outcome="cause", verdict="fail"), SERIES)
    assert not declined(run(environment=own, outcome="ambiguous", steps=("vacuum_table",), verdict="fail"), SERIES)
    assert not declined(run(environment=other, verdict="error"), SERIES)


def test_a_part_without_runs_is_neither_passed_nor_failed() -> None:
    assert tried("crash", [], []) is None
    one = tried("faults", [run()], ["db-table-bloat seed 1: fail"])
    assert one is not None and (one.passed, one.runs) == (False, ("run_1",))


def test_where_a_server_lives_is_none_of_its_settings() -> None:
    """A lab is made anew on another port for every run: that is no reason for a drift and ends no certificate."""
    rows = [{"name": name, "setting": "x"} for name in ("port", "log_directory", "unix_socket_directories", "work_mem")]
    assert settled(rows) == [{"name": "work_mem", "setting": "x"}]
