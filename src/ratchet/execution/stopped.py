"""The one exception of this workshop: a move cannot go on and a person must be asked."""

from ratchet.domain.escalation import Stop


class Stopped(Exception):
    """Raised inside a move; the engine turns it into an escalation with this reason."""

    def __init__(self, stop: Stop, detail: str) -> None:
        super().__init__(detail)
        self.stop = stop
        self.detail = detail
