"""Causes a fault in the lab and takes it back, always: the undo is written down before anything is caused."""

import json
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from ratchet.domain.fault import CausedObject, Fault, FaultStep
from ratchet.lab.checks import unmet
from ratchet.lab.injectors import INJECTORS
from ratchet.lab.injectors.grip import Grip, new_label
from ratchet.lab.lab import Lab


class FaultRefused(RuntimeError):
    """The lab cannot cause this fault; the message says what it lacks."""


@dataclass(eq=False)
class Injected:
    """A fault that is in effect until `undo`; as a context it undoes itself at the end."""

    fault: Fault
    owner_label: str
    grip: Grip = field(repr=False)
    watchdog: threading.Timer | None = field(default=None, repr=False)
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    at: float = field(default_factory=time.monotonic)
    """When it began, in monotonic seconds."""
    undone: bool = False

    def took(self) -> bool:
        """Waits for the symptom that the file declares; false means that the fault did not take."""
        return not unmet(self.fault.spec.symptom, self.grip.lab, self.at)

    @property
    def objects(self) -> tuple[CausedObject, ...]:
        """What a right diagnosis must name."""
        return tuple(self.grip.objects)

    def undo(self) -> None:
        """Takes the fault back and proves it gone; may be repeated, and from any thread."""
        with self.lock:
            if self.undone:
                return
            for step in self.fault.spec.undo:
                _perform(self.grip, step)
            _journal_path(self.grip.lab, self.owner_label).unlink(missing_ok=True)
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
    if "pgbouncer" in fault.spec.needs or ("replica" in fault.spec.needs and lab.replica is None):
        raise FaultRefused(f"{fault.id} needs {', '.join(fault.spec.needs)}. Start the lab with them.")
    label = new_label(seed)
    injected = Injected(fault, label, Grip(lab, label, seed))
    _write_down(lab, fault, label)
    injected.watchdog = threading.Timer(fault.spec.ttl, injected.undo)
    injected.watchdog.daemon = True
    injected.watchdog.start()
    with ExitStack() as failed:
        failed.callback(injected.undo)
        for step in fault.spec.inject:
            _perform(injected.grip, step)
        failed.pop_all()
    return injected


def undo_left_over(lab: Lab) -> tuple[str, ...]:
    """Takes back what an earlier process caused here and did not undo; the labels of what it found."""
    labels: list[str] = []
    for path in sorted(lab.journal.glob("*.json")):
        written = json.loads(path.read_text(encoding="utf-8"))
        grip = Grip(lab, str(written["label"]))
        for step in written["undo"]:
            _perform(grip, FaultStep.model_validate(step))
        path.unlink()
        labels.append(grip.label)
    return tuple(labels)


def _perform(grip: Grip, step: FaultStep) -> None:
    injector = INJECTORS[step.uses]
    injector.act(grip, injector.args.model_validate(step.args))


def _write_down(lab: Lab, fault: Fault, label: str) -> None:
    lab.journal.mkdir(exist_ok=True)
    undo = [step.model_dump() for step in fault.spec.undo]
    written = json.dumps({"label": label, "fault": fault.id, "undo": undo})
    _journal_path(lab, label).write_text(written, encoding="utf-8")


def _journal_path(lab: Lab, label: str) -> Path:
    return lab.journal / f"{label}.json"
