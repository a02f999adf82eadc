"""The audit trail as desk and sinks see it: an entry per event, what a check of the chain found, and the port to it."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from pydantic import Field

from ratchet.domain.errors import Code, Refusal
from ratchet.domain.noun import Noun
from ratchet.domain.ports import ChainReport


class Head(Noun):
    """Where a chain ends: its name, how many events it has, and the last link in hexadecimal."""

    chain: str
    position: int = Field(ge=0)
    mac: str = Field(pattern=r"^[0-9a-f]{64}$")


class AuditEntry(Noun):
    """One event as it stands in the chain. `position` is commit order; `stored` is the exact text that `mac` covers."""

    position: int
    tenant: str
    stream: str
    seq: int
    at: datetime
    by: str
    kind: str
    previous: str
    """The link before it, in hexadecimal."""
    mac: str
    stored: str

    @property
    def body(self) -> dict[str, Any]:
        """The event's own fields."""
        found: dict[str, Any] = json.loads(self.stored)["body"]
        return found


class AuditReport(ChainReport):
    """What a check found, and how much of it rests on a seal: events up to `sealed` were not walked again."""

    sealed: int = 0


class AuditKey(Noun):
    """The public half of the house's Ed25519 key, which checks seals and bundles, and the chain it signs for."""

    chain: str
    public: str
    fingerprint: str


class ChainBroken(Refusal):
    """The record does not hold, so nothing may be built on it; `report` names the first bad event."""

    def __init__(self, report: AuditReport) -> None:
        super().__init__(
            Code.FAILED,
            f"The state database does not fit its anchor at {report.because}.",
            "Stop, keep a copy, and restore ratchet.db, key and anchor together from one backup.",
        )
        self.report = report


class Trail(Protocol):
    """The chain of events, to be read, checked and followed; nothing here writes an event."""

    def entries(
        self, after: int, limit: int, *, since: datetime | None = None, until: datetime | None = None
    ) -> Sequence[AuditEntry]:
        """Behind a position, in commit order; `since` inclusive, `until` exclusive."""
        ...

    def newest(self, limit: int, before: int | None = None) -> Sequence[AuditEntry]:
        """Newest first, before a position."""
        ...

    def of_stream(self, stream: str) -> Sequence[AuditEntry]:
        """All of one stream, oldest first, each with its link proved: what is taken out of here is vouched for. Raises
        Refusal(FAILED) for an event that is not the one that was written, or the one behind a gap."""
        ...

    def head(self) -> Head:
        """Where the chain ends now."""
        ...

    def anchored(self) -> Head | None:
        """The head as last written to the second file; None while there is no such file."""
        ...

    def key(self) -> AuditKey:
        """The public key of the house."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The house's signature (64 bytes) under a message; the first line of a message says what it is."""
        ...

    def verify(self, *, full: bool) -> AuditReport:
        """Check from the last good seal on, or with `full` every event and every projection."""
        ...

    def whole(self) -> bool | None:
        """What the checks in this process found, None before the first; what was broken stays so until a full one."""
        ...

    def place(self, follower: str) -> int | None:
        """The position up to which a follower has delivered; None for one that never did."""
        ...

    def keep_place(self, follower: str, position: int) -> None:
        """Remember how far a follower has delivered."""
        ...
