"""The hands: read probes, and write tools that act only with a grant."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, Protocol

from ratchet.domain.evidence import Evidence, ProbeCall
from ratchet.domain.gate import Grant
from ratchet.domain.noun import Noun
from ratchet.domain.plan import Act, Preview, ToolSpec
from ratchet.domain.target import Fingerprint


class Sent(Noun):
    """How a target answered an act. `unknown` covers every case in which it may have happened unseen."""

    outcome: Literal["done", "failed_clean", "unknown"]
    started_at: datetime
    ended_at: datetime
    return_code: str
    error_category: str = "none"
    touched: tuple[dict[str, Any], ...] = ()
    result: dict[str, Any] = {}
    because: str = ""


class Took(Noun):
    """Whether an act happened, as far as the target can tell."""

    verdict: Literal["yes", "no", "cannot_tell"]
    because: str
    reachable: bool = True
    """False when the target did not answer: it may be asked again."""


class Missing(Noun):
    """A right, extension or version that a target lacks, which playbooks that disables, and what others lose."""

    what: str
    remedy: str
    probes: tuple[str, ...] = ()
    playbooks: tuple[str, ...] = ()
    weakens: tuple[str, ...] = ()
    """A line for each playbook that works on with less: `series@version: hypothesis x, step y`."""
    optional: bool = False
    """Whether the least rights leave it out on purpose: to be given or not, as the target's owner likes."""


class Toolbox(Protocol):
    """The hands: read probes, and write tools that act only with a grant."""

    def look(self, calls: Sequence[ProbeCall]) -> list[Evidence]:
        """Answer every call, in parallel within the read budget; never raises for what a target does."""
        ...

    def fingerprint(self, target: str) -> Fingerprint | Evidence:
        """Who stands behind the target's address now, or the evidence of why it cannot be told."""
        ...

    def spec(self, tool: str) -> ToolSpec | None:
        """What a write tool declares, or None when no such tool is registered."""
        ...

    def tools(self) -> list[ToolSpec]:
        """All write tools."""
        ...

    def probes(self) -> Mapping[str, frozenset[str]]:
        """Registered probe names and the columns that each may yield."""
        ...

    def preview(self, target: str, tool: str, args: Mapping[str, Any]) -> Preview | Evidence:
        """A dry run, or the evidence of why it cannot be made. Raises Refusal for arguments that do not fit."""
        ...

    def credential(self, target: str) -> str:
        """The reference of the target's act credential."""
        ...

    def act(self, act: Act, grant: Grant) -> Sent:
        """Send an act once. Refuses (Refusal) when the grant is not for exactly this act."""
        ...

    def took(self, act: Act, grant: Grant, *, back: bool = False) -> Took:
        """Whether an act of unknown outcome happened; asked only after its deadline.

        With `back` it is a way back (its statements are those of the undo), and "yes" is that the undo happened.
        """
        ...

    def left(self, act: Act, grant: Grant) -> Took:
        """Whether the state still is the one that an act left which took effect; asked before it is taken back."""
        ...

    def check(self, target: str) -> list[Missing]:
        """What the target's credentials lack."""
        ...

    def pointed(self, name: str) -> str:
        """Register, warm up or refresh a target's sessions; returns the server's system identifier or an empty text."""
        ...
