"""A store of past incidents: the worlds that are written by hand, recorded as if they had been looked at."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ratchet.domain.alert import Alert
from ratchet.domain.playbook import Playbook
from ratchet.domain.series import Activated, Version, VersionDrafted
from ratchet.domain.timeline import Looked, Opened, Resolved
from ratchet.store.store import EventStore
from ratchet.vault.files import PlaybookFiles
from ratchet.vault.making import Source, blanks_of
from ratchet.vault.seeding import seed, shipped_texts, shipped_version
from ratchet.vault.shelf import VaultShelf
from tests.vault import worlds as w


class Ticking:
    """A clock that moves by a second whenever it is asked."""

    def __init__(self, start: datetime = w.NOW) -> None:
        self.now = start

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


class Records:
    """A store with the shipped playbooks, or `only` one of them, and the two targets of the worlds. Close it."""

    def __init__(self, home: Path, files: PlaybookFiles, *, new: bool = True, only: str = "") -> None:
        numbers = iter(range(10**9))
        self.files = files
        self.clock = Ticking()
        self._count = 0
        self.store = EventStore.open_at(home, self.clock, lambda: f"01REC{next(numbers):021d}")
        self.shelf = VaultShelf(self.store, files)
        if not new:
            return
        texts = {name: text for name, text in shipped_texts().items() if name.startswith(only)}
        seed(self.store, files, texts, _unsaid)
        for target in (w.PRIMARY, w.REPLICA):
            self.store.put_target(target, "user:ana")

    def close(self) -> None:
        self.store.close()

    def record(
        self, world: Mapping[str, Any], *, cause: str | None = None, fault: str | None = None, quiet: bool = False
    ) -> str:
        """One past incident over a world; `cause` is what a person said at its end. Gives its name, `INC-1` etc."""
        self._count += 1
        number = self._count
        alert = Alert(
            source="t", fingerprint=f"f{number}", starts_at=w.NOW, labels={"alertname": "ServiceDegraded"},
            annotations={"summary": f"Something is slow, {number}"},
        )  # fmt: skip

        def build(n: int) -> Opened:
            origin = "drill" if fault else "production"
            return Opened(
                number=n, origin=origin, fault=fault, quiet=quiet, alert=alert, target=w.PRIMARY.name, target_reason="l"
            )

        incident = self.store.open(f"01INC{number:021d}", build, by="service:monitor")
        playbooks = [playbook for _, playbook in self.shelf.candidates("postgres")]
        bound = [call for one in w.candidates(playbooks) for calls in one.calls.values() for call in calls]
        calls = [call for call in bound if call.probe in world]
        evidence = [
            one.model_copy(update={"id": f"ev_{number:06d}{n:018d}"})
            for n, one in enumerate(w.moment(world, calls).evidence.values())
        ]
        looked = Looked(
            candidates=tuple(p.pin for p in playbooks), evidence=tuple(one.id for one in evidence),
            answers={f"{one.probe}@{one.target}": one.answer.value for one in evidence}, elapsed_ms=3.0,
        )  # fmt: skip
        incident = self.store.commit(incident, looked, by="ratchet", evidence=evidence, wake_at=None)
        if cause is not None:
            said = Resolved(by="user:ana", cause=cause, because="looked at it by hand")
            incident = self.store.commit(incident, said, by="user:ana", wake_at=None)
        return incident.name

    def active(self, series: str) -> Playbook:
        """The text of a series that is in use."""
        version = self.store.series(series).active
        assert version is not None
        return self.files.load(version.text, version.pin)

    def draft(
        self, playbook: Playbook, number: str = "9.0", *, by: str = "user:ana", activate: bool = False,
        source: Source = "manual",
    ) -> Version:  # fmt: skip
        """The text as a version of its series."""
        metadata = playbook.metadata.model_copy(update={"version": number, "source": source})
        named = playbook.model_copy(update={"metadata": metadata})
        update = {"id": f"pb_manual_{number}", "created_by": by, "blanks": blanks_of(named)}
        version = shipped_version(named, w.NOW).model_copy(update=update)
        series = self.store.commit_series(self.store.series(version.series), VersionDrafted(version=version), by=by)
        if activate:
            series = self.store.commit_series(series, Activated(version_id=version.id, by=by, reason="so"), by=by)
        found = series.find(version.id)
        assert found is not None
        return found


def _unsaid(_: str) -> None:
    """Seeding is not told here."""
