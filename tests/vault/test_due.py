"""Monday's list and the reminders at start: what failed, what nobody looked at in time, what waits."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ratchet import __version__
from ratchet.desk.due import Here, due_lines, here_of
from ratchet.desk.vault_views import ReviewLine
from ratchet.domain.drill import Environment
from ratchet.domain.playbook import Review
from ratchet.domain.score import Part, Score
from ratchet.lab.catalog import load_catalog
from ratchet.notify.reminders import Reminder
from ratchet.vault.coverage import CoverageLine, Status
from ratchet.vault.files import PlaybookFiles
from ratchet.vault.report import Reports
from ratchet.wiring.vault import due_reminders
from tests.gateway.paper_drills import RUN
from tests.vault import worlds as w
from tests.vault.recorded import Records, Ticking

SERIES = "pbs_connection_triage"
FAULTS = load_catalog().faults
PROVED = Score(parts=(Part(name="recovery", passed=True, weight=15, because="it held"),))


@pytest.fixture
def records(tmp_path: Path, playbook_files: PlaybookFiles) -> Iterator[Records]:
    timed = PlaybookFiles(playbook_files.known, playbook_files.causes, Ticking())
    found = Records(tmp_path, timed, only=SERIES)
    yield found
    found.close()


def lines(records: Records, **change: object) -> list[ReviewLine]:
    """Monday's list, with the rows that `vault list` shows."""
    reports = Reports(records.store, FAULTS, lambda: "", records.clock)
    here = replace(here_of(records.store, reports), **change)
    return due_lines(records.store, records.files, records.clock(), here)


def whats(records: Records) -> list[str]:
    return [line.what for line in lines(records)]


def reminded(records: Records, every: float = 7 * 86400.0) -> list[Reminder]:
    return due_reminders(lines(records), records.clock(), every)


def run(records: Records, number: int, **change: object) -> None:
    at = records.clock()
    update = {"id": f"run_{number}", "series": SERIES, "ended_at": at, "started_at": at, "score": PROVED, **change}
    records.store.put_run(RUN.model_copy(update=update), "user:ana")


def test_a_playbook_that_was_never_proved_and_a_draft_are_on_the_list_and_no_reason_to_warn(records: Records) -> None:
    records.draft(records.active(SERIES))
    assert whats(records) == ["draft", "unproved"]
    assert reminded(records) == []


def test_a_playbook_whose_last_run_failed_comes_first_until_a_later_run_passes(records: Records) -> None:
    run(records, 1, verdict="fail")
    assert whats(records) == ["failed"]
    (told,) = reminded(records)
    assert f"series={SERIES}" in told.line and "what=failed" in told.line and told.period == 1
    run(records, 2, verdict="error")
    assert whats(records) == ["failed"]
    active = records.store.series(SERIES).active
    assert active is not None
    here = Environment(playbook_digest=active.digest, ratchet_version=__version__)
    run(records, 3, verdict="pass", environment=here)
    assert whats(records) == []


def test_a_run_that_was_to_mend_and_did_not_know_the_cause_has_failed(records: Records) -> None:
    for number, remediate in enumerate((False, True)):
        run(records, number, verdict="abstained", remediate=remediate)
        (line,) = lines(records)
        assert line.what == "failed" and line.because.startswith("did not know the cause in its last run of")


@pytest.mark.parametrize(
    "later",
    [
        {"trial": "double_fire"},
        {"trial": "crash"},
        {"remediate": False, "verdict": "diagnosed"},
        {"fault": "pg-hot-row"},
    ],
)
def test_what_failed_is_hidden_by_no_later_run_that_proves_less(records: Records, later: dict[str, object]) -> None:
    run(records, 1, verdict="fail")
    run(records, 2, **{"verdict": "pass", **later})
    (line,) = lines(records)
    assert (line.what, RUN.fault in line.because) == ("failed", True)


def test_a_series_that_was_diagnosed_alone_is_unproved(records: Records) -> None:
    run(records, 1, verdict="diagnosed", remediate=False)
    (line,) = lines(records)
    assert (line.what, line.because) == ("unproved", "no fault that was caused for it was to be mended")


def test_a_proof_of_another_text_or_another_release_is_said(records: Records) -> None:
    run(records, 1, verdict="pass", environment=Environment(playbook_digest="sha256:old"))
    assert whats(records) == ["environment"]
    run(records, 2, verdict="pass", environment=Environment(ratchet_version="0.0.0"))
    (line,) = lines(records)
    assert "0.0.0" in line.because


def test_a_proof_on_another_postgresql_or_with_other_tools_is_said(records: Records) -> None:
    active = records.store.series(SERIES).active
    assert active is not None
    same = {"playbook_digest": active.digest, "ratchet_version": __version__}
    target = w.PRIMARY.name
    run(records, 1, verdict="pass", target=target, environment=Environment(server_version="150018", **same))
    records.record(w.healthy())
    reports = Reports(records.store, FAULTS, lambda: "sha256:now", records.clock)
    (seen,) = (
        e for e in records.store.evidence(records.store.incident("INC-1").evidence)
        if (e.probe, e.target) == ("postgres.ping", target)
    )  # fmt: skip
    version = str(seen.rows[0]["version_num"])
    assert here_of(records.store, reports).servers == {target: version}
    (line,) = lines(records, servers={target: "170002"})
    assert (line.what, line.because) == ("environment", f"last proved on PostgreSQL 15; {target} has 17")
    assert lines(records, servers={target: "150019"}) == []
    run(records, 2, verdict="pass", target=target, environment=Environment(tools_digest="sha256:old", **same))
    (line,) = lines(records, tools="sha256:now")
    assert (line.what, "probes or tools changed" in line.because) == ("environment", True)


@pytest.mark.parametrize(("status", "whats"), [("PASS", []), ("FAIL", ["failed"]), ("-", ["unproved"])])
def test_a_drill_that_nobody_graded_counts_as_in_the_list_of_what_is_covered(
    records: Records, status: Status, whats: list[str]
) -> None:
    row = CoverageLine(
        fault="db-max-connections", title="x", playbook=SERIES, last_run=records.clock(), status=status,
        certificate="none", incident="INC-3", remedy="acted",
    )  # fmt: skip
    found = due_lines(records.store, records.files, records.clock(), Here(rows=(row,)))
    assert [line.what for line in found] == whats


def test_a_text_that_cannot_be_read_is_a_line_of_its_own_and_hides_no_other(records: Records) -> None:
    records.draft(records.active(SERIES))
    with records.store._journal.connections.write() as connection:
        connection.exec_driver_sql("UPDATE series SET body = replace(body, 'Connection & Lock', 'Connection & Luck')")
    found = lines(records)
    assert {line.what for line in found} == {"failed"} and len(found) == 2
    assert all("kept under its digest" in line.because for line in found)


def test_a_review_that_a_file_brought_with_it_counts_for_nothing_here(records: Records) -> None:
    active = records.active(SERIES)
    day = (records.clock() - timedelta(days=1)).date()
    review = Review(every=10 * 86400.0, last=day.isoformat(), by="user:default/ana")
    spec = active.spec.model_copy(update={"review": review, "owner": "user:default/ana"})
    made = records.draft(active.model_copy(update={"spec": spec}), activate=True, source="imported")
    records.clock.now = made.created_at + timedelta(days=5)
    (line,) = [one for one in due_lines(records.store, records.files, records.clock()) if one.what == "due"]
    assert line.since is not None and line.since.date() == (made.activated_at or made.created_at).date() + timedelta(10)


def test_a_review_is_due_a_fortnight_ahead_and_overdue_after_its_day(records: Records) -> None:
    active = records.active(SERIES)
    spec = active.spec.model_copy(
        update={
            "review": Review(every=90 * 86400.0, last="2026-08-30", by="user:default/ana"),
            "owner": "user:default/ana",
        }
    )
    records.draft(active.model_copy(update={"spec": spec}), activate=True)
    assert whats(records) == ["unproved", "due"]
    records.clock.now += timedelta(days=30)
    (line, _) = lines(records)
    assert (line.what, line.owner) == ("overdue", "user:default/ana")
    assert line.because == "its review was due on 2026-11-28"
    (first,) = reminded(records)
    records.clock.now += timedelta(days=7)
    (second,) = reminded(records)
    assert (second.key, second.period) == (first.key, first.period + 1), "the same thing, a week later"
