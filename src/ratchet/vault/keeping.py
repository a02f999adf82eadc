"""Keeping what worked: a verified incident becomes a draft in the vault, once."""

from collections.abc import Callable

from ratchet.domain.fault import Fault
from ratchet.domain.incident import Incident
from ratchet.domain.playbook import Playbook
from ratchet.domain.ports import Shelf, Store
from ratchet.domain.series import Series, VersionDrafted
from ratchet.domain.timeline import Drafted, Sampled
from ratchet.vault.draft import synthesise
from ratchet.vault.lessons import Told


class Drafting:
    """Called by the engine after a proved recovery."""

    def __init__(
        self, store: Store, shelf: Shelf, fault: Callable[[str], Fault | None], new_id: Callable[[], str]
    ) -> None:
        self._store = store
        self._shelf = shelf
        self._fault = fault
        self._new_id = new_id

    def __call__(self, incident: Incident) -> Drafted | None:
        """The draft's place in the vault; None when there is nothing to draft from."""
        leading = incident.conclusion.leading if incident.conclusion else None
        if leading is None or incident.plan is None:
            return None
        series = self._store.series(incident.plan.playbook.partition("@")[0])
        already = next((v for v in series.versions if v.incident == incident.name), None)
        if already is None:
            already = synthesise(self._told(incident, series), self._grown_from(incident), self._new_id)
            self._store.commit_series(series, VersionDrafted(version=already), by="ratchet")
        return Drafted(draft=already.id, series=already.series, version=already.version)

    def _grown_from(self, incident: Incident) -> Playbook:
        """The text that was acted by: what the draft grows from."""
        return self._shelf.version(incident.plan.version_id if incident.plan else "")[1]

    def _told(self, incident: Incident, series: Series) -> Told:
        timeline = self._store.timeline(incident.id)
        sampled = [e for r in timeline if isinstance(r.event, Sampled) for e in r.event.evidence]
        return Told(
            incident=incident,
            timeline=timeline,
            evidence=self._store.evidence(list(dict.fromkeys([*incident.evidence, *sampled]))),
            series=series,
            fault=self._fault(incident.fault) if incident.fault else None,
            at=timeline[-1].at,
            service_owner=next((t.owner for t in self._store.targets() if t.name == incident.target), ""),
        )
