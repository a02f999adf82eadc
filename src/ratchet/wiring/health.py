"""Whether what Ratchet stands on is well: state, chain, playbooks, targets."""

import logging
import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ratchet.desk.views import CheckView
from ratchet.domain.audit import Trail
from ratchet.domain.errors import Code, Refusal
from ratchet.domain.evidence import Answer, ProbeCall
from ratchet.domain.incident import LIVE
from ratchet.domain.policy import Freeze, Policy
from ratchet.domain.ports import Shelf, Store, Toolbox

LOG = logging.getLogger("ratchet.health")
ROOM = 64 * 1024 * 1024
"""Bytes that must be free where the state is kept."""
APART = 5.0
"""Seconds between the house's clock and the wall's from which somebody should know."""


class Health:
    """Looks at everything, changes nothing."""

    def __init__(
        self,
        home: Path,
        state: tuple[Store, Trail],
        world: tuple[Toolbox, Callable[[], timedelta]],
        shelf: Shelf,
        policy: Policy,
    ) -> None:
        self._home = home
        self._store, self._trail = state
        self._toolbox, self._ahead = world
        self._shelf = shelf
        self._policy = policy

    def ready(self) -> list[CheckView]:
        """What must be well before requests are worth sending: state and playbooks."""
        return [self._said("state", self._state), self._playbooks()]

    def doctor(self) -> list[CheckView]:
        """Everything, the targets included."""
        ready = [one.model_copy(update={"ok": bool(one.ok)}) for one in self.ready()]
        here = [self._said("chain", self._chain), self._room(), self._clock(), self._automation()]
        checks = [*ready, *here, *self._freezes()]
        return [*checks, *(self._target(t.name) for t in self._store.targets() if t.kind == "postgres")]

    def prove(self) -> None:
        """Check the chain from the last seal on; what was found stands in the figures, and in the log if it is bad."""
        found = self._said("chain", self._chain)
        if not found.ok:
            LOG.error("%s %s", found.detail, found.remedy)

    def figures(self) -> Mapping[str, float]:
        """Present numbers for the metrics page."""
        tally, whole = self._store.tally(), self._trail.whole()
        counts: dict[str, float] = {f"incidents.{status}": 0.0 for status in sorted(LIVE)}
        counts |= {f"incidents.{status}": float(number) for status, number in tally.incidents.items()}
        counts |= {} if whole is None else {"audit_chain_ok": float(whole)}
        for series in self._store.all_series():
            for version in series.versions:
                key = f"playbooks.{version.state}"
                counts[key] = counts.get(key, 0.0) + 1
        return {
            **counts,
            "decisions_pending": float(tally.decisions.get("pending", 0)), "targets": float(len(self._store.targets())),
            "automation_enabled": 0.0 if self._store.paused() else 1.0,
        }  # fmt: skip

    @staticmethod
    def _said(name: str, check: Callable[[], str]) -> CheckView:
        try:
            return CheckView(name=name, ok=True, detail=check())
        except Refusal as no:
            return CheckView(name=name, ok=False, detail=no.message, remedy=no.remedy)

    def _automation(self) -> CheckView:
        """Not known to be well while it is paused: whoever asks why nothing happens is told here."""
        paused = self._store.paused()
        remedy = "ratchet resume --reason ..." if paused else ""
        return CheckView(
            name="automation", ok=None if paused else True, detail=paused or "acts may begin", remedy=remedy
        )

    def _state(self) -> str:
        self._store.next_wake()
        return f"{self._home / 'ratchet.db'} answers"

    def _playbooks(self) -> CheckView:
        """Not well when none loads; unknown while some do, because the others are worth sending requests for."""
        try:
            found, left_out = self._shelf.candidates("postgres"), self._shelf.left_out()
        except Refusal as no:
            return CheckView(name="playbooks", ok=False, detail=no.message, remedy=no.remedy)
        told = f"{len(found)} active playbooks load"
        if not left_out:
            return CheckView(name="playbooks", ok=True, detail=told)
        detail = f"{told}, {len(left_out)} left out: {' '.join(no.message for no in left_out)}"
        return CheckView(name="playbooks", ok=None if found else False, detail=detail, remedy=left_out[0].remedy)

    def _chain(self) -> str:
        report = self._trail.verify(full=False)
        if not report.ok:
            where = f"event {report.first_bad}" if report.first_bad is not None else "its head"
            raise Refusal(
                Code.FAILED, f"The chain of events is broken at {where}: {report.because}",
                "Keep a copy of the state directory, stop acting, and find out who changed it.",
            )  # fmt: skip
        return f"{report.events} events, unbroken; `ratchet audit verify --full` walks those before the last seal"

    def _room(self) -> CheckView:
        free = shutil.disk_usage(self._home).free
        ok = free >= ROOM
        remedy = "" if ok else f"Make room on the volume of {self._home}."
        return CheckView(name="disk", ok=ok, detail=f"{free // (1024 * 1024)} MiB free", remedy=remedy)

    def _clock(self) -> CheckView:
        ahead = self._ahead().total_seconds()
        ok = abs(ahead) < APART
        way = f"Once the wall clock is right: stop Ratchet, remove {self._home / 'clock'}, start. Nothing is unsafe."
        remedy = "" if ok else way
        return CheckView(name="clock", ok=ok or None, detail=f"{ahead:+.1f} s against the wall clock", remedy=remedy)

    def _freezes(self) -> list[CheckView]:
        """The change freezes that are on or to come, where there are any; one that names nobody is in doubt."""
        now = datetime.now(UTC) + self._ahead()
        ahead = [each for each in self._policy.freezes if now < each.until]
        known = {target.name for target in self._store.targets()}
        return [_freeze(each, each.on(now), sorted(set(each.targets) - known)) for each in ahead]

    def _target(self, name: str) -> CheckView:
        pooler = any(t.name == name and t.is_pooler for t in self._store.targets())
        probe = "pgbouncer.limits" if pooler else "postgres.ping"
        seen = self._toolbox.look([ProbeCall(probe=probe, target=name)])[0]
        ok = seen.answer is Answer.OK
        missing = [m for m in self._toolbox.check(name) if not m.optional] if ok else []
        if missing:
            return CheckView(
                name=f"target {name}", ok=None, detail=f"reachable; {len(missing)} rights or extensions missing",
                remedy=f"ratchet target check {name}",
            )  # fmt: skip
        return CheckView(
            name=f"target {name}", ok=ok, detail=seen.answer.value, remedy="" if ok else f"ratchet target check {name}"
        )


def _freeze(freeze: Freeze, on: bool, strangers: Sequence[str]) -> CheckView:
    """A change freeze as a check: not in doubt unless it names what is not registered."""
    begins = "on" if on else f"from {freeze.start:%Y-%m-%d %H:%M %Z}"
    detail = f"{begins} for {', '.join(freeze.targets) or 'everything'}: {freeze.told()}"
    if not strangers:
        return CheckView(name="freeze", ok=True, detail=detail)
    remedy = "Write names as in `ratchet target list` into policy.yaml, and start again."
    return CheckView(name="freeze", ok=None, detail=f"{detail}; not registered: {', '.join(strangers)}", remedy=remedy)
