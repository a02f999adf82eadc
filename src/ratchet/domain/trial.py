"""What one run amounts to in a certification, whoever asks: the lab that tries, and the desk that holds it against the
kept runs."""

from collections import Counter
from collections.abc import Sequence

from ratchet.domain.drill import Run


def declined(run: Run, series: str) -> bool:
    """Whether a series kept out of a case that is not its own: an error proves nothing."""
    its = run.environment.playbook.partition("@")[0] == series
    return run.verdict != "error" and not (its and (run.answered or run.steps))


def repeated(steps: Sequence[str]) -> str:
    """Which steps took effect more than once, or that none did; empty where each did once."""
    more = sorted(name for name, times in Counter(steps).items() if times > 1)
    if more:
        return f": {', '.join(more)} took effect more than once"
    return "" if steps else ": nothing was done"
