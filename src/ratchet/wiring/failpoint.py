"""A place at which this process ends or stops itself: for proof only, and only where every target may be broken."""

import itertools
import os
import re
import signal
from collections.abc import Callable, Sequence

from ratchet.domain.errors import forbidden, invalid
from ratchet.domain.target import Target
from ratchet.execution.pen import At, nowhere

_FORM = re.compile(r"(kill|stop):((?:before|after)_[a-z_]+)(?::([1-9][0-9]{0,5}))?")
_SIGNALS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}


def failpoint(named: str | None, targets: Callable[[], Sequence[Target]]) -> At:
    """What `RATCHET_FAILPOINT` names, such as `kill:after_intent:3`: the signal, the place, and which passing of it.

    Raises Refusal unless every target is tagged `chaos`; one that is registered later without the tag disarms it.
    """
    if named is None:
        return nowhere
    form = _FORM.fullmatch(named)
    if form is None:
        raise invalid(f"RATCHET_FAILPOINT={named[:80]!r} names no place.", "Write it like kill:after_intent:3.")
    if not _all_chaos(targets()):
        raise forbidden("A fail-point is set, and a target is not tagged chaos.", "Unset RATCHET_FAILPOINT.")
    deed, place, nth = form[1], form[2], int(form[3] or 1)
    passing = itertools.count(1)

    def at(here: str) -> None:
        if here == place and next(passing) == nth and _all_chaos(targets()):
            os.kill(os.getpid(), _SIGNALS[deed])

    return at


def _all_chaos(targets: Sequence[Target]) -> bool:
    return all(target.chaos for target in targets)
