"""What was not judged because an active playbook cannot be read; pure."""

from collections.abc import Sequence

from ratchet.domain.errors import Refusal
from ratchet.domain.gate import DecisionPacket, Signal
from ratchet.domain.hypothesis import Conclusion

SHOWN = 3
"""Playbooks left out that a sentence names."""


def left_out_sentence(left_out: Sequence[Refusal]) -> str:
    """One plain sentence per playbook that cannot be read, with what to do; empty when there is none."""
    if not left_out:
        return ""
    count = f"{len(left_out)} active playbook{'s' if len(left_out) != 1 else ''}"
    told = " ".join(f"{no.message} {no.remedy}".strip() for no in left_out[:SHOWN])
    more = f" And {len(left_out) - SHOWN} more: `ratchet doctor`." if len(left_out) > SHOWN else ""
    return f"{count} could not be read and judged nothing here. {told}{more}"


def told_what_was_left_out(conclusion: Conclusion, left_out: Sequence[Refusal]) -> Conclusion:
    """The conclusion, with the playbooks that had no part in it; where no cause was found, mending them comes first."""
    sentence = left_out_sentence(left_out)
    if not sentence:
        return conclusion
    action = conclusion.suggested_action
    if conclusion.outcome == "unknown_cause":
        action = f"Mind what was left out: a playbook that could not be read may know this. {action}"
    return conclusion.model_copy(update={"why": f"{conclusion.why} {sentence}", "suggested_action": action})


def cautioned(packet: DecisionPacket, left_out: Sequence[Refusal]) -> DecisionPacket:
    """The packet, which says that a playbook which could have judged otherwise was not heard."""
    sentence = left_out_sentence(left_out)
    if not sentence:
        return packet
    against = (Signal(source="vault", signal=sentence), *packet.against)
    return packet.model_copy(update={"against": against, "approval_prompt": f"{packet.approval_prompt} {sentence}"})
