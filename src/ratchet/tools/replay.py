"""Recorded evidence as a toolbox: it looks at what was seen then, and can do nothing."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ratchet.domain.errors import Refusal, conflict
from ratchet.domain.evidence import Answer, Evidence, ProbeCall
from ratchet.domain.gate import Grant
from ratchet.domain.plan import Act, ToolSpec
from ratchet.domain.ports import Missing, Sent, Took


class Replay:
    """`ratchet.domain.ports.Toolbox` over the evidence of one incident. It never reaches a target."""

    def __init__(self, evidence: Iterable[Evidence]) -> None:
        self._seen: dict[tuple[str, str], list[Evidence]] = {}
        for one in evidence:
            self._seen.setdefault((one.probe, one.target), []).append(one)

    def look(self, calls: Sequence[ProbeCall]) -> list[Evidence]:
        """What was recorded for exactly these calls. A call that was not recorded is left out: conditions read it as
        unknown, and nothing stands in for it."""
        found = (self._recorded(call) for call in calls)
        return [one for one in found if one is not None]

    def _recorded(self, call: ProbeCall) -> Evidence | None:
        """The latest look, when the same was looked at more than once."""
        same = [one for one in self._seen.get((call.probe, call.target), ()) if one.args == call.args]
        return max(same, key=lambda one: one.taken_at, default=None)

    def fingerprint(self, target: str) -> Evidence:
        return self._nothing("fingerprint", target, {})

    def spec(self, tool: str) -> ToolSpec | None:  # noqa: ARG002 - the signature is the port's
        return None

    def tools(self) -> list[ToolSpec]:
        return []

    def probes(self) -> Mapping[str, frozenset[str]]:
        """The probes that were recorded, with the columns that were seen."""
        found: dict[str, frozenset[str]] = {}
        for (probe, _), looks in self._seen.items():
            found[probe] = found.get(probe, frozenset()).union(*(one.columns for one in looks))
        return found

    def preview(self, target: str, tool: str, args: Mapping[str, Any]) -> Evidence:
        return self._nothing(tool, target, args)

    def credential(self, target: str) -> str:
        raise _nothing_is_done(target)

    def act(self, act: Act, grant: Grant) -> Sent:  # noqa: ARG002 - the signature is the port's
        raise _nothing_is_done(act.target)

    def took(self, act: Act, grant: Grant, *, back: bool = False) -> Took:  # noqa: ARG002 - the signature is the port's
        raise _nothing_is_done(act.target)

    def left(self, act: Act, grant: Grant) -> Took:  # noqa: ARG002 - the signature is the port's
        raise _nothing_is_done(act.target)

    def check(self, target: str) -> list[Missing]:  # noqa: ARG002 - the signature is the port's
        return []

    def pointed(self, name: str) -> str:  # noqa: ARG002 - the signature is the port's
        return ""

    def _nothing(self, probe: str, target: str, args: Mapping[str, Any]) -> Evidence:
        """The answer to what was never recorded."""
        at = max((one.taken_at for looks in self._seen.values() for one in looks), default=None)
        if at is None:
            raise _nothing_is_done(target)
        call = ProbeCall(probe=probe, target=target, args=dict(args))
        return Evidence.of(call, at, 0.0, answer=Answer.MISSING, detail="not recorded")


def _nothing_is_done(target: str) -> Refusal:
    return conflict(f"{target} is replayed from recorded evidence; nothing is done there.", "Act on the target itself.")
