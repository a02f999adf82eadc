"""What could not be told because a login may not look; pure."""

from collections.abc import Iterable

from ratchet.domain.evidence import Answer, Evidence
from ratchet.domain.hypothesis import Conclusion

GIVE = "Give Ratchet the rights that it lacks: `ratchet target check` prints the lines."
SHOWN = 3
"""Missing rights that the reason names."""


def told_what_is_denied(conclusion: Conclusion, evidence: Iterable[Evidence]) -> Conclusion:
    """The conclusion; where it is that the cause is unknown, with the rights whose lack may be why."""
    denied = {f"{each.target}: {each.detail}" for each in evidence if each.answer is Answer.PERMISSION}
    if conclusion.outcome != "unknown_cause" or not denied:
        return conclusion
    why = f"{conclusion.why} A right to look was missing: {'; '.join(sorted(denied)[:SHOWN])}."
    return conclusion.model_copy(update={"why": why, "suggested_action": f"{GIVE} {conclusion.suggested_action}"})
