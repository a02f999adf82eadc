"""Causes a fault in the lab and takes it back, always: the undo is written down before anything is caused."""

import logging
import threading
import time
from collections.abc import Iterable, Mapping
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

LOG = logging.getLogger("ratchet.lab")


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
        """Whether shop and customers have been served for `window` seconds, while the fault is not yet taken back.

        Raises FaultRefused where it is: its time was over, and who mended what cannot be told any more.
        """
        well = (
            FaultCheck(uses="shop.healthy", args={"window": window}, within=window + 5),
            FaultCheck(uses="client.healthy", args={"window": window}, within=window + 5),
        )
        served = not unmet(well, self.grip.lab, time.monotonic(), self.grip)
        with self.lock:
            over = self.undone
        if over:
            message = f"{self.fault.id} ({self.owner_label}) ended by its time, {self.fault.spec.ttl:.0f} s"
            raise FaultRefused(f"{message}: whether it was mended before cannot be told.")
        return served

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

    def cause(self) -> None:
        """What the file says, step by step. Whatever stops it, an interruption too, what was begun is undone first;
        where even that fails, `undone` stays false, and `undo` may be asked once more."""
        with ExitStack() as failed:
            failed.push(self._stopped_halfway)
            for step in self.fault.spec.undo:
                _remember(self.grip, step)
            for step in self.fault.spec.inject:
                _perform(self.grip, step)
            failed.pop_all()

    def _stopped_halfway(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        try:
            self.undo()
        except (RuntimeError, OSError, psycopg.Error) as left:
            if error is not None:
                error.add_note(f"It is not taken back: {left}")

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


def _by_its_time(injected: Injected) -> None:
    """Undoes what outlived its time; nobody waits here for an answer, so that a failure is written down."""
    try:
        injected.undo()
    except (RuntimeError, OSError, psycopg.Error) as left:
        LOG.error("%s outlived its time and is not taken back: %s", injected.owner_label, left)


def begin(fault: Fault, lab: Lab, seed: int) -> Injected:
    """A fault that nothing was caused of yet: its undo is written down, and asked for after its time to live."""
    lacking = lab.lacks(fault.spec.needs)
    if lacking:
        raise FaultRefused(f"{fault.id} needs {' and '.join(lacking)}.")
    label, entry = _written_down(fault, lab, seed)
    injected = Injected(fault, label, Grip(lab, label, seed, entry), entry)
    injected.watchdog = threading.Timer(fault.spec.ttl, _by_its_time, [injected])
    injected.watchdog.daemon = True
    injected.watchdog.start()
    return injected


def inject(fault: Fault, lab: Lab, seed: int) -> Injected:
    """Causes `fault`; names vary with `seed`. Whatever happens, it is undone after its time to live."""
    injected = begin(fault, lab, seed)
    injected.cause()
    return injected


def in_effect(caused: Mapping[str, Injected]) -> dict[str, str]:
    """The faults that are not taken back yet, by label."""
    return {label: each.fault.id for label, each in caused.items() if not each.undone}


def undo_each(caused: Iterable[Injected]) -> str:
    """Takes every one back, whatever became of the one before; what is left, or an empty text."""
    left: list[str] = []
    for each in caused:
        try:
            each.undo()
        except (RuntimeError, OSError, psycopg.Error) as failed:
            left.append(f"{each.fault.id} ({each.owner_label}): {failed}")
    return "; ".join(left)


def _written_down(fault: Fault, lab: Lab, seed: int) -> tuple[str, Entry]:
    """Under a label that no other fault bears here."""
    while True:
        label = new_label()
        with suppress(FileExistsError):
            return label, Entry.write(lab, fault, label, seed)


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
