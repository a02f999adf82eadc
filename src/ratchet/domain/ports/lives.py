"""What was lived through, as learning and quality read it."""

from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

from ratchet.domain.case import Case
from ratchet.domain.priors import Confirmed


class Lives(Protocol):
    """Readings of the event table over many incidents; nothing here writes."""

    def confirmed(self, after: int = 0) -> tuple[list[Confirmed], int]:
        """People's words on causes behind a position of the chain, oldest first, and the position read up to."""
        ...

    def cases(self, since: datetime | None = None) -> Iterator[Case]:
        """Every incident opened at `since` or later, as it is counted, by number."""
        ...
