"""A line that is stopped says what it leaves, exits 70, and loses no run."""

import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from typer.main import get_command

from ratchet.cli.commands import fault
from ratchet.cli.exits import LEFT_OVER
from ratchet.cli.faults import batch, certification
from ratchet.cli.faults.batch import Line, run_batch
from ratchet.cli.faults.certification import Course, certify
from ratchet.cli.faults.stand import Stand, lease
from ratchet.cli.faults.standing import take_back
from ratchet.cli.faults.wish import Batch, Wish
from ratchet.cli.given import Given
from ratchet.cli.road import settings_of
from ratchet.cli.show import Form
from ratchet.domain.drill import Run
from ratchet.domain.errors import Code, Refusal
from ratchet.domain.fault import Fault
from ratchet.domain.observed import Observed
from ratchet.lab import drill
from ratchet.lab.catalog import load_catalog
from ratchet.lab.certify import Cases
from ratchet.lab.ground import Caused
from ratchet.security import alone
from tests.lab.test_hanging import LEAK, Place, Stuck

LEFT = "archive_command is still false"
OTHER = load_catalog().faults["db-idle-in-transaction"]


class Stubborn(Place):
    """Where the second fault that is caused stays."""

    def __init__(self) -> None:
        self.times = 0

    def cause(self, fault: Fault, seed: int) -> Caused:
        self.times += 1
        return super().cause(fault, seed)

    def undo(self, label: str) -> str:
        return LEFT if self.times == 2 else ""


class Desk(Stuck):
    """A desk that keeps runs; `seen` comes with every look at an incident."""

    def __init__(self, seen: Callable[[], None], kept: Callable[[Run], None]) -> None:
        super().__init__("awaiting_approval")
        self._looks, self.keep = seen, kept

    def observed(self, reference: str) -> Observed:
        self._looks()
        return super().observed(reference)

    def fire_again(self, reference: str) -> str:
        return reference

    def runs(self, **_wanted: object) -> list[Run]:
        return []


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> typer.Context:
    monkeypatch.setenv("HELPDESK_FAULT_HISTORY_FILE", str(tmp_path / "history.json"))
    return typer.Context(get_command(fault.app), obj=Given(home=str(tmp_path / "home")))


@pytest.fixture
def standing(context: typer.Context, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Lets every line find this ground and this desk, and what stays there at the end."""

    def stands(seen: Callable[[], None], kept: Callable[[Run], None], *stays: str) -> None:
        drills, place = Desk(seen, kept), Stubborn()
        playbook = SimpleNamespace(digest="sha256:aa")
        desk: Any = SimpleNamespace(drills=drills, approve=None, playbook=lambda _: playbook, targets=list)

        @contextmanager
        def stand(*_given: object) -> Generator[Stand]:
            here = Stand(place, desk, "db-1", settings_of(context.obj))
            try:
                yield here
            finally:
                here.left.extend(stays)

        @contextmanager
        def road(*_given: object) -> Generator[SimpleNamespace]:
            yield SimpleNamespace(desk=desk)

        for name in ("NOTICED_AFTER_S", "REMEDY_LIMIT_S"):
            monkeypatch.setattr(drill, name, 0.0)
        for module in (batch, certification):
            monkeypatch.setattr(module, "stand", stand)
        monkeypatch.setattr(certification, "road", road)

    return stands


def second_time(stops: BaseException) -> Callable[..., None]:
    times: list[int] = []

    def now(*_given: object) -> None:
        times.append(1)
        if len(times) == 2:
            raise stops

    return now


def ids(tmp_path: Path) -> list[str]:
    return [each["fault_id"] for each in json.loads((tmp_path / "history.json").read_text())]


def line(context: typer.Context, *faults: Fault) -> Batch:
    wish = Wish(batch="a1b2c3d4", faults=(), seeds=(1,), strengths=("named",), remediate=False)
    return run_batch(Line(context, lambda: datetime.now(UTC), Form.TABLE), wish, list(faults or (LEAK, OTHER)))


@pytest.mark.parametrize("stops", [KeyboardInterrupt(), Refusal(Code.UNAVAILABLE, "The desk is away.", "Look.")])
def test_a_stopped_batch_exits_70_where_something_stays(
    stops: BaseException, context: typer.Context, standing, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    kept: list[Run] = []
    if isinstance(stops, Refusal):
        standing(lambda: None, second_time(stops))
    else:
        standing(second_time(stops), kept.append)
    with pytest.raises(typer.Exit) as ended:
        line(context)
    assert ended.value.exit_code == LEFT_OVER
    assert f"{OTHER.id}: {LEFT}" in capfd.readouterr().err
    assert ids(tmp_path) == [LEAK.id, OTHER.id]
    assert isinstance(stops, Refusal) or [run.left for run in kept] == ["", LEFT]


def test_a_stopped_certification_exits_70_where_something_stays_and_loses_no_run(
    context: typer.Context, standing, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    kept: list[Run] = []
    standing(second_time(KeyboardInterrupt()), kept.append)
    course = Course(Cases(LEAK.spec.series, (LEAK, OTHER), ()), (1,))
    with pytest.raises(typer.Exit) as ended:
        certify(context, course, "host=nowhere")
    assert ended.value.exit_code == LEFT_OVER
    assert f"{OTHER.id}: {LEFT}" in capfd.readouterr().err
    assert ids(tmp_path) == [LEAK.id, OTHER.id]
    assert [(run.trial, run.left) for run in kept] == [("faults", ""), ("faults", LEFT)]


def test_what_a_visit_cannot_take_away_is_told_however_the_line_ends_and_nothing_is_certified(
    context: typer.Context, standing, capfd: pytest.CaptureFixture[str]
) -> None:
    standing(lambda: None, lambda _: None, "database shop")
    assert line(context, LEAK).stays == ["database shop"]
    with pytest.raises(typer.Exit) as uncertified:
        certify(context, Course(Cases(LEAK.spec.series, (LEAK,), ()), (1,)), "host=nowhere")
    standing(second_time(KeyboardInterrupt()), lambda _: None, "table baskets")
    with pytest.raises(typer.Exit) as interrupted:
        line(context, LEAK, LEAK)
    assert (uncertified.value.exit_code, interrupted.value.exit_code) == (LEFT_OVER, LEFT_OVER)
    said = capfd.readouterr().err
    assert "; database shop" in said and "; table baskets" in said


def test_a_desk_that_is_away_costs_a_certification_no_run(context: typer.Context, standing, tmp_path: Path) -> None:
    kept: list[Run] = []
    away = second_time(Refusal(Code.UNAVAILABLE, "The desk is away.", "Look."))

    def keep(run: Run) -> None:
        away()
        kept.append(run)

    standing(lambda: None, keep)
    course = Course(Cases(LEAK.spec.series, (LEAK,), ()), (1, 2))
    with pytest.raises(typer.Exit):
        certify(context, course, "host=nowhere")
    assert ids(tmp_path) == [LEAK.id, LEAK.id] and [run.seed for run in kept] == [1, 2]


def test_a_label_is_taken_back_where_a_fault_in_the_lab_bears_it_and_else_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="no fault in effect named 'ab12'"):
        take_back(tmp_path, "ab12")
    entry = tmp_path / "lab" / "visit-7311-staging-db" / "caused" / "ab12.json"
    entry.parent.mkdir(parents=True)
    entry.write_text("{}")
    with pytest.raises(Refusal, match=r"visited, and not in the lab\..*same --conn"):
        take_back(tmp_path, "ab12")
    assert take_back(tmp_path, "") == "" and entry.exists()


def test_one_line_at_a_time_causes_faults_in_the_lab(context: typer.Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alone, "PATIENCE_S", 0.0)
    settings = settings_of(context.obj)
    with lease(settings), pytest.raises(Refusal, match="Another line causes faults"), lease(settings):
        pytest.fail("two lines at once")
    with lease(settings):
        pass
