"""What is caused here, written down before it is caused, with all that its undo needs to know."""

import json
from pathlib import Path
from typing import Any

from ratchet.domain.fault import Fault
from ratchet.lab.lab import Lab


class Entry:
    """One caused fault on disk; it outlives the process that caused it, and goes when the fault is undone."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def write(cls, lab: Lab, fault: Fault, label: str, seed: int) -> "Entry":
        """A new entry. Raises FileExistsError where one of that label stands: its undo is somebody else's."""
        lab.journal.mkdir(exist_ok=True)
        entry = cls(lab.journal / f"{label}.json")
        entry._beside.touch(mode=0o600, exist_ok=False)
        if entry.stands:
            entry._beside.unlink()
            raise FileExistsError(f"{entry.path} is written already")
        undo = [step.model_dump() for step in fault.spec.undo]
        entry.save({"label": label, "seed": seed, "fault": fault.id, "undo": undo, "kept": {}})
        return entry

    @property
    def stands(self) -> bool:
        """Whether it is still written down, so that its fault is not known to be taken back."""
        return self.path.exists()

    @property
    def _beside(self) -> Path:
        return self.path.with_suffix(".new")

    def read(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.path.read_text(encoding="utf-8"))
        return found

    def save(self, written: dict[str, Any]) -> None:
        """Whole or not at all."""
        self._beside.touch(mode=0o600)
        self._beside.write_text(json.dumps(written), encoding="utf-8")
        self._beside.replace(self.path)

    def keep(self, name: str, value: Any) -> None:
        """Writes down what the undo must know, before it is needed."""
        written = self.read()
        written["kept"][name] = value
        self.save(written)

    def kept(self, name: str) -> Any:
        """What was kept under that name; None where nothing was, or where the fault is taken back already."""
        try:
            return self.read()["kept"].get(name)
        except FileNotFoundError:
            return None

    def forget(self) -> None:
        self.path.unlink(missing_ok=True)


def left_over(lab: Lab) -> list[Entry]:
    """What stands written down as caused and not undone."""
    return [Entry(path) for path in sorted(lab.journal.glob("*.json"))]
