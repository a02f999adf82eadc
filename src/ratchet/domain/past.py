"""A past incident as far as it can be judged again: what was said, what was seen, and what turned out to be true."""

from datetime import datetime

from ratchet.domain.alert import Alert
from ratchet.domain.noun import Noun


class Past(Noun):
    """An incident that was looked at. The evidence is that of its last look before anything was done."""

    id: str
    number: int
    opened_at: datetime
    fault: str | None = None
    quiet: bool = False
    """A drill of that fault's alert alone: nothing was caused."""
    alert: Alert
    target: str | None
    looked_at: datetime
    evidence: tuple[str, ...]
    seen: frozenset[str] = frozenset()
    """The probes that were recorded, whatever they answered."""
    confirmed: str = ""
    """The cause that a proved recovery bore out, or that a person named at the end; empty when neither did."""

    @property
    def name(self) -> str:
        """`INC-1`."""
        return f"INC-{self.number}"
