"""However a drill ends, what it caused is taken back, and what could not be is told."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from ratchet.domain.drill import Run
from ratchet.domain.errors import Code, Refusal
from ratchet.lab.drill import Drills, Interrupted, Plan
from tests.lab.test_hanging import GROUND, LEAK, NOW, Place, Stuck

GONE = Refusal(Code.UNAVAILABLE, "Nobody answers.", "Look.")
CTRL_C = KeyboardInterrupt()


@dataclass
class Told:
    """What is asked of ground and desk at the end, and what each asking comes to."""

    undone: list[str | BaseException] = field(default_factory=lambda: [""])
    ended: list[str | BaseException] = field(default_factory=lambda: [""])
    asked: list[str] = field(default_factory=list[str])

    def next(self, what: str, comes: list[str | BaseException]) -> str:
        self.asked.append(what)
        one = comes.pop(0) if len(comes) > 1 else comes[0]
        if isinstance(one, BaseException):
            raise one
        return one


def ran(told: Told, seen: Callable[[], None] = lambda: None) -> Run:
    """A drill that only looks; `seen` is what comes while it does."""

    class Ending(Place):
        def undo(self, label: str) -> str:
            return told.next("undo", told.undone)

    class Desk(Stuck):
        def observed(self, reference: str):
            seen()
            return super().observed(reference)

        def end(self, reference: str, reason: str) -> None:
            told.next("end", told.ended)

    plan = Plan(
        batch="a1b2c3d4", ground=GROUND, remediate=False, approve=lambda *_: None, now=lambda: NOW, new_id=lambda: "1"
    )
    return Drills(Ending(), Desk("awaiting_approval"), plan).run(LEAK, 1, "named")


def ctrl_c() -> None:
    raise CTRL_C


def interrupted(told: Told, seen: Callable[[], None] = lambda: None) -> Run:
    with pytest.raises(Interrupted) as stopped:
        ran(told, seen)
    return stopped.value.run


def test_an_interrupted_drill_tells_what_its_undo_left() -> None:
    run = interrupted(Told(undone=["archive_command is still false"]), ctrl_c)
    assert (run.verdict, run.left, run.incident) == ("error", "archive_command is still false", "")


def test_an_undo_that_nobody_answers_took_nothing_back() -> None:
    told = Told(undone=[GONE])
    run = ran(told)
    assert run.verdict == "error" and "Nobody answers." in run.left
    assert told.asked == ["undo", "end"]


@pytest.mark.parametrize("silent", ["undone", "ended"])
def test_an_interruption_is_not_lost_where_undo_or_desk_does_not_answer(silent: str) -> None:
    told = Told(undone=[GONE]) if silent == "undone" else Told(ended=[GONE])
    run = interrupted(told, ctrl_c)
    assert bool(run.left) == (silent == "undone")
    assert ("INC-1 could not be ended" in run.note) == (silent == "ended")
    assert told.asked == ["undo", "end"]


@pytest.mark.parametrize("told", [Told(undone=[CTRL_C, "", ""]), Told(ended=[CTRL_C, ""])], ids=["undo", "end"])
def test_what_an_interruption_cut_off_is_done_to_its_end(told: Told) -> None:
    assert interrupted(told).left == ""
    assert told.asked[-2:] == ["undo", "end"] and len(told.asked) > 2
