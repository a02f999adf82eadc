"""Where a drill causes its fault: a lab of this process, or one that a keeper keeps. One shape for both."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, Protocol

import psycopg

from ratchet.domain.errors import Code, Refusal
from ratchet.domain.fault import CausedObject, Fault
from ratchet.domain.noun import Noun
from ratchet.lab.checks import unmet
from ratchet.lab.faults import Injected, begin, in_effect, undo_each
from ratchet.lab.keeper import Asked, LabState, ask
from ratchet.lab.lab import Lab

LONGEST_S = 300.0
"""Seconds that one question to a keeper may take: an undo may restart a server."""


class Caused(Noun):
    """A fault in effect."""

    label: str
    took: bool
    objects: tuple[CausedObject, ...] = ()


class FaultGround(Protocol):
    """What a drill asks of the place where its fault is caused."""

    def lacking(self, fault: Fault) -> tuple[str, ...]:
        """What this place does not have of what the fault needs, in words."""
        ...

    def unwell(self, fault: Fault) -> tuple[str, ...]:
        """Forget the past, then wait until the baseline holds; the checks that did not become true."""
        ...

    def cause(self, fault: Fault, seed: int) -> Caused:
        """Cause it and see whether it took. Raises Refusal; whatever was begun is then undone, or is by `undo`."""
        ...

    def mended(self, label: str) -> bool:
        """Whether customers are served while the fault is not taken back."""
        ...

    def untouched(self, label: str) -> bool:
        """Whether what only resembles the culprit is as it was."""
        ...

    def undo(self, label: str) -> str:
        """Take the fault back; what is left, or an empty text. May be repeated; an empty label means everything."""
        ...


class LabGround:
    """A lab of this process. `beyond` says in words what a fault takes that this place does not allow."""

    def __init__(self, lab: Lab, beyond: Callable[[Fault], tuple[str, ...]]) -> None:
        self._lab = lab
        self._beyond = beyond
        self._caused: dict[str, Injected] = {}

    def lacking(self, fault: Fault) -> tuple[str, ...]:
        return self._beyond(fault)

    def unwell(self, fault: Fault) -> tuple[str, ...]:
        if live := in_effect(self._caused):
            return tuple(f"{name} ({label}) is in effect" for label, name in live.items())
        with _refused("Whether all is well before cannot be told"):
            return tuple(each.uses for each in unmet(fault.spec.baseline, self._lab))

    def cause(self, fault: Fault, seed: int) -> Caused:
        with _refused("The fault could not be caused"):
            injected = begin(fault, self._lab, seed)
            # Known from now on: whatever is left of a fault that failed halfway is asked for once more.
            self._caused[injected.owner_label] = injected
            injected.cause()
            return Caused(label=injected.owner_label, took=injected.took(), objects=injected.objects)

    def mended(self, label: str) -> bool:
        with _refused("Whether it is mended cannot be told"):
            return self._caused[label].mended()

    def untouched(self, label: str) -> bool:
        with _refused("Whether innocents were touched cannot be told"):
            return self._caused[label].innocents_untouched()

    def undo(self, label: str) -> str:
        return undo_each([each for name, each in self._caused.items() if label in ("", name)])


@contextmanager
def _refused(what: str) -> Generator[None]:
    """What a server or a lab says no to, as a refusal."""
    try:
        yield
    except (RuntimeError, OSError, psycopg.Error) as failed:
        raise Refusal(Code.FAILED, f"{what}: {failed}", "Look: ratchet fault status") from None


class KeptGround:
    """A lab that a keeper keeps, in a process of its own."""

    def __init__(self, state: LabState) -> None:
        self._state = state

    def in_effect(self) -> dict[str, str]:
        """The faults that are caused there and not taken back, by label."""
        return dict(self._ask("status")["caused"])

    def lacking(self, fault: Fault) -> tuple[str, ...]:
        return tuple(self._ask("lacks", fault=fault.id)["lacking"])

    def unwell(self, fault: Fault) -> tuple[str, ...]:
        return tuple(self._ask("well", fault=fault.id)["unmet"])

    def cause(self, fault: Fault, seed: int) -> Caused:
        return Caused.model_validate(self._ask("inject", fault=fault.id, seed=seed))

    def mended(self, label: str) -> bool:
        return self._ask("mended", label=label)["mended"] is True

    def untouched(self, label: str) -> bool:
        return self._ask("untouched", label=label)["untouched"] is True

    def undo(self, label: str) -> str:
        said = self._tell("undo", label=label)
        return str(said.get("error", ""))

    def _ask(self, verb: str, **what: Any) -> dict[str, Any]:
        said = self._tell(verb, **what)
        if "error" in said:
            raise Refusal(Code.FAILED, f"The lab could not do it: {said['error']}", "Look: ratchet lab status")
        return said

    def _tell(self, verb: str, **what: Any) -> dict[str, Any]:
        try:
            return ask(self._state, Asked(verb=verb, **what), LONGEST_S)
        except OSError as gone:
            message = f"The keeper of the lab does not answer: {gone}"
            raise Refusal(Code.UNAVAILABLE, message, "Look: ratchet lab status; end it: ratchet lab down") from None
