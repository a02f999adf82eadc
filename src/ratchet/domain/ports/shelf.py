"""The playbooks, as triage and execution know them."""

from typing import Protocol

from ratchet.domain.errors import Mistake, Refusal
from ratchet.domain.playbook import Playbook
from ratchet.domain.series import Version


class Shelf(Protocol):
    """The active playbooks, as typed values with the version they come from."""

    def candidates(self, kind: str) -> list[tuple[Version, Playbook]]:
        """Every active playbook for a target kind that can be read, by series; the others are in `left_out`."""
        ...

    def left_out(self) -> list[Refusal]:
        """Why active playbooks, of whatever kind, cannot be read, and what to do about each; empty when all can."""
        ...

    def version(self, version_id: str) -> tuple[Version, Playbook]:
        """One version, whatever its state; raises Refusal(NOT_FOUND)."""
        ...


class Files(Protocol):
    """Reads playbook texts; every mistake at once."""

    def load(self, text: str, where: str) -> Playbook:
        """The playbook in a text; raises Refusal(INVALID) with all mistakes."""
        ...

    def lint(self, playbook: Playbook, text: str, where: str) -> list[Mistake]:
        """What a reviewer would send back."""
        ...
