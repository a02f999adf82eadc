"""What ends a move early: a person must be asked, or it is simply too early."""

from datetime import datetime

from ratchet.domain.escalation import Stop


class Stopped(Exception):
    """Raised inside a move; the engine turns it into an escalation with this reason."""

    def __init__(self, stop: Stop, detail: str) -> None:
        super().__init__(detail)
        self.stop = stop
        self.detail = detail


class Later(Exception):
    """Raised inside a move that cannot be made yet; the incident sleeps until then."""

    def __init__(self, until: datetime) -> None:
        super().__init__(until.isoformat())
        self.until = until
