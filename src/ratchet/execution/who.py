"""Who answers after an act: what another server says proves nothing about the one that the act was done on."""

from ratchet.domain.errors import Refusal
from ratchet.domain.evidence import Evidence
from ratchet.domain.gate import DecisionPacket
from ratchet.domain.noun import Noun
from ratchet.domain.ports import Took, Toolbox
from ratchet.execution.checks import Outcome

WHO = "who_answers"
"""The line of a sample that says so, beside those of the checks."""


class Who(Noun):
    """Whether the server that a packet was for answers now; None when nobody can tell, and why."""

    same: bool | None
    because: str = ""

    def judged(self, outcome: Outcome) -> Outcome:
        """A sample from another server is unknown, whatever it says; from nobody knows whom, it is never a pass."""
        if self.same or (self.same is None and outcome.value is False):
            return outcome
        more = {"value": None, "lines": {WHO: self.because, **outcome.lines}, "unknown": (WHO, *outcome.unknown)}
        return outcome.model_copy(update=more)

    def settled(self, took: Took) -> Took:
        """Whether an act happened is told by the server that it was sent to, or not at all; silence is asked again."""
        if self.same:
            return took
        return Took(verdict="cannot_tell", because=self.because, reachable=took.reachable and self.same is False)


def who_answers(toolbox: Toolbox, packet: DecisionPacket) -> Who:
    """Who answers at the packet's target now. Asked after the look that it is about: a server that was exchanged does
    not come back, so that the look before was at this one, too."""
    try:
        seen = toolbox.fingerprint(packet.act.target)
    except Refusal as gone:
        return Who(same=None, because=gone.message)
    if isinstance(seen, Evidence):
        return Who(same=None, because=f"It could not be read which server answers: {seen.answer.value}.")
    because = seen.instead_of(packet.fingerprint)
    return Who(same=not because, because=because)
