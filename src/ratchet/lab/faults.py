"""Causes a fault in the lab and takes it back, always: the undo is written down before anything is caused."""

import threading
import time
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import psycopg

from ratchet.domain.fault import CausedObject, Fault, FaultCheck, FaultStep
from ratchet.lab.account import LabProgramFailed
from ratchet.lab.checks import unmet
from ratchet.lab.injectors import INJECTORS
from ratchet.lab.injectors.grip import Grip, UndoFailed
from ratchet.lab.injectors.made import innocent_table_untouched
from ratchet.lab.injectors.names import new_label
from ratchet.lab.journal import Entry, left_over
from ratchet.lab.lab import Lab


class FaultRefused(RuntimeError):
    """The lab cannot cause this fault; the message says what it lacks."""


@dataclass(eq=False)
class Injected:
    """A fault that is in effect until `undo`; as a context it undoes itself at the end."""

    fault: Fault
    owner_label: str
    grip: Grip = field(repr=False)
    entry: Entry = field(repr=False)
    watchdog: threading.Timer | None = field(default=None, repr=False)
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    at: float = field(default_factory=time.monotonic)
    """When it began, in monotonic seconds."""
    undone: bool = False

    def took(self) -> bool:
        """Waits for the symptom that the file declares; false means that the fault did not take."""
        return not unmet(self.fault.spec.symptom, self.grip.lab, self.at, self.grip)

    @property
    def objects(self) -> tuple[CausedObject, ...]:
        """What a right diagnosis must name."""
        return tuple(self.grip.objects)

    def mended(self, window: float = 3.0) -> bool:
        """Whether shop and customers have been served for `window` seconds, while the fault is not yet taken back."""
        well = (
            FaultCheck(uses="shop.healthy", args={"window": window}, within=window + 5),
            FaultCheck(uses="client.healthy", args={"window": window}, within=window + 5),
        )
        return not unmet(well, self.grip.lab, time.monotonic(), self.grip)

    def innocents_untouched(self) -> bool:
        """Whether nothing was hurt that only resembles the culprit; a recovering server is waited for.

        Once the fault is taken back its innocent table is gone with it, and only sessions and slots can be asked after.
        """
        sessions = not self.fault.spec.ends_sessions
        deadline = time.monotonic() + 10
        while True:
            with suppress(psycopg.OperationalError):
                tables = self.undone or innocent_table_untouched(self.grip)
                if tables and self.grip.lab.bystanders.untouched(sessions=sessions):
                    return True
            if time.monotonic() > deadline:
                return False
            time.sleep(0.1)

    def undo(self) -> None:
        """Takes the fault back and proves it gone; may be repeated, and from any thread. Raises UndoFailed."""
        with self.lock:
            if self.undone:
                return
            _take_back(self.grip, self.fault.spec.undo)
            if self.fault.spec.ends_sessions:
                self.grip.lab.bystanders.return_after_restart()
            self.entry.forget()
            self.undone = True
        if self.watchdog is not None:
            self.watchdog.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.undo()


def inject(fault: Fault, lab: Lab, seed: int) -> Injected:
    """Causes `fault`; names vary with `seed`. Whatever happens, it is undone after its time to live."""
    lacking = lab.lacks(fault.spec.needs)
    if lacking:
        raise FaultRefused(f"{fault.id} needs {' and '.join(lacking)}.")
    label = new_label(seed)
    entry = Entry.write(lab, fault, label, seed)
    injected = Injected(fault, label, Grip(lab, label, seed, entry), entry)
    injected.watchdog = threading.Timer(fault.spec.ttl, injected.undo)
    injected.watchdog.daemon = True
    injected.watchdog.start()
    with ExitStack() as failed:
        failed.callback(injected.undo)
        for step in fault.spec.undo:
            _remember(injected.grip, step)
        for step in fault.spec.inject:
            _perform(injected.grip, step)
        failed.pop_all()
    return injected


def undo_left_over(lab: Lab) -> tuple[str, ...]:
    """Takes back what an earlier process caused here and did not undo; the labels of what it found."""
    labels: list[str] = []
    for entry in left_over(lab):
        written = entry.read()
        grip = Grip(lab, str(written["label"]), int(written["seed"]), entry)
        _take_back(grip, [FaultStep.model_validate(step) for step in written["undo"]])
        entry.forget()
        labels.append(grip.label)
    return tuple(labels)


def _take_back(grip: Grip, steps: Iterable[FaultStep]) -> None:
    """Every step is tried, whatever became of the one before; what failed is told at the end."""
    left: list[str] = []
    for step in steps:
        try:
            _perform(grip, step)
        except (UndoFailed, LabProgramFailed, psycopg.Error, OSError) as failed:
            left.append(f"{step.uses}: {failed}")
    if left:
        raise UndoFailed("; ".join(left))


def _remember(grip: Grip, step: FaultStep) -> None:
    injector = INJECTORS[step.uses]
    if injector.before is not None:
        injector.before(grip, injector.args.model_validate(step.args))


def _perform(grip: Grip, step: FaultStep) -> None:
    injector = INJECTORS[step.uses]
    injector.act(grip, injector.args.model_validate(step.args))
