"""What a write tool on a host is: it is offered, sent and asked after without any session to the server."""

from abc import ABC, abstractmethod

from ratchet.domain.gate import Grant
from ratchet.domain.plan import Act, Preview
from ratchet.domain.ports import Clock, Sent, Took
from ratchet.domain.target import HostControl
from ratchet.tools.tool import A, Registered


class HostTool(Registered[A], ABC):
    """One way to change something on a host of ours. Every method may raise NoAnswer, but for `send`."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock

    @abstractmethod
    def offered(self, host: HostControl, args: A) -> Preview:
        """What the act would do now, with no rows when it must not be done; and the undo."""

    @abstractmethod
    def send(self, act: Act, grant: Grant, host: HostControl) -> Sent:
        """Do it once; the host is ours, so the deadline is tested just before, on our clock: `settle_after`. The
        server's own, by which `not_after` is told, is the machine's wall clock, and somebody may have set that."""

    @abstractmethod
    def took(self, host: HostControl, act: Act) -> Took:
        """Whether an act of unknown outcome happened."""

    def taken_back(self, host: HostControl, act: Act) -> Took:
        """Whether the act's way back, of unknown outcome, happened."""
        return self.turned_round(self.took(host, act))
