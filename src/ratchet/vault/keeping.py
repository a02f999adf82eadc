"""Keeping what worked: a verified incident becomes a draft in the vault, once."""

from collections.abc import Callable
from dataclasses import replace

from ratchet.domain.errors import Code, Refusal, conflict
from ratchet.domain.fault import Fault
from ratchet.domain.hypothesis import Hypothesis
from ratchet.domain.incident import LIVE, Incident
from ratchet.domain.playbook import Playbook
from ratchet.domain.ports import Shelf, Store
from ratchet.domain.series import Edited, Series, Version, VersionDrafted
from ratchet.domain.timeline import Drafted, Sampled
from ratchet.vault.canonical import canonical_text, text_digest
from ratchet.vault.draft import blank_sheet, drawn, synthesise
from ratchet.vault.lessons import Told
from ratchet.vault.making import blanks_of
from ratchet.vault.similar import nearest


class Drafting:
    """Called by the engine after a proved recovery, and by a person for an incident that people mended."""

    def __init__(
        self, store: Store, shelf: Shelf, fault: Callable[[str], Fault | None], new_id: Callable[[], str]
    ) -> None:
        self._store = store
        self._shelf = shelf
        self._fault = fault
        self._new_id = new_id

    def __call__(self, incident: Incident) -> Drafted | None:
        """The draft's place in the vault; None when there is nothing to draft from."""
        if _by_person(incident):
            return self._of_hands(incident)
        leading = incident.conclusion.leading if incident.conclusion else None
        if leading is None or incident.plan is None:
            return None
        series = self._store.series(incident.plan.playbook.partition("@")[0])
        return self._kept(incident, self._told(incident, series), self._grown_from(incident, series))

    def asked(self, incident: Incident) -> Drafted:
        """The same when a person asks, also for what people did by hand. Raises Refusal(CONFLICT) with the reason."""
        if incident.status in LIVE or incident.status == "held":
            raise conflict(f"{incident.name} is not over yet.", "Resolve it first.")
        drafted = self(incident)
        if drafted is not None:
            return drafted
        if not _by_person(incident):
            message = f"{incident.name} has no proved recovery, so there is nothing to learn a playbook from."
            raise conflict(message, "Drafts come from incidents whose verification passed.")
        message = f"{incident.name} was ended by a word alone: neither a window nor its monitor says that it is over."
        raise conflict(message, "It is drafted by itself when its alert resolves too; a proved recovery is at once.")

    def redrawn(self, version: Version) -> Edited | None:
        """A draft's text drawn once more, upon what is active by now; None when it stays as it is.

        Raises Refusal when its incident is no longer kept.
        """
        series = self._store.series(version.series)
        active = series.active
        if active is None or version.incident is None:
            return None
        base = self._shelf.version(active.id)[1]
        incident = self._store.incident(version.incident)
        told = self._told(incident, series)
        if told.by_person:
            cause = (incident.resolved.cause if incident.resolved else "") or ""
            told = replace(told, said=_said(base, active, cause))
        elif all(rule.id != _leading_id(incident) for rule in base.spec.triage.hypotheses):
            return None
        playbook = drawn(told, base)
        number = playbook.metadata.model_copy(update={"version": version.version})
        playbook = playbook.model_copy(update={"metadata": number})
        text = canonical_text(playbook)
        if text == version.text:
            return None
        return Edited(
            version_id=version.id, text=text, digest=text_digest(text), guidance=playbook.spec.guidance,
            blanks=blanks_of(playbook, version.source), reason=f"drawn again upon {active.pin}", wrote=active.writers,
        )  # fmt: skip

    def _of_hands(self, incident: Incident) -> Drafted | None:
        """The draft of what a person mended; None while no window and no monitor says that it is over."""
        cause = (incident.resolved.cause if incident.resolved else "") or ""
        told = self._told(incident, Series(id=""))
        if not cause or not told.proved:
            return None
        series, base, said = self._of_cause(told, cause)
        return self._kept(incident, replace(told, series=series, said=said), base)

    def _kept(self, incident: Incident, told: Told, base: Playbook) -> Drafted:
        """The incident's draft, made now unless it is there: the worker and a person may both come for it."""
        found = _drawn_from(told.series, incident)
        if found is None:
            made = synthesise(told, base, self._new_id).model_copy(update={"wrote": _writers(told.series, base)})
            try:
                self._store.commit_series(told.series, VersionDrafted(version=made), by="ratchet")
                found = made
            except Refusal as no:
                found = _drawn_from(self._store.series(told.series.id), incident)
                if no.code is not Code.CONFLICT or found is None:
                    raise
        return Drafted(draft=found.id, series=found.series, version=found.version)

    def _grown_from(self, incident: Incident, series: Series) -> Playbook:
        """The active text of the series, so that the draft is a patch of it; else the text that was acted by."""
        acted_by = incident.plan.version_id if incident.plan else ""
        active = series.active
        if active is not None and active.id != acted_by:
            playbook = self._shelf.version(active.id)[1]
            if any(rule.id == _leading_id(incident) for rule in playbook.spec.triage.hypotheses):
                return playbook
        return self._shelf.version(acted_by)[1]

    def _of_cause(self, told: Told, cause: str) -> tuple[Series, Playbook, Hypothesis]:
        """The series that a person's incident belongs to: the one that knows the cause, one that speaks of the same,
        else a new one with blanks."""
        library = self._shelf.candidates("postgres")
        knows = [(version, playbook) for version, playbook in library if _rule(playbook, cause)]
        concluded = told.incident.conclusion
        leading = concluded.leading if concluded else None
        knows.sort(key=lambda one: leading is None or one[0].series != leading.playbook.partition("@")[0])
        alert = told.incident.alert
        near = None if knows else nearest(alert.title, [alert.annotations.get("description", "")], library)
        found = [*knows, *((v, p) for v, p in library if near is not None and v.id == near.id)]
        if not found:
            base = blank_sheet(told, cause)
            return self._store.series(base.metadata.series), base, _said(base, None, cause)
        version, base = found[0]
        return self._store.series(version.series), base, _said(base, version, cause)

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


def _by_person(incident: Incident) -> bool:
    return incident.resolved is not None and incident.resolved.by.startswith("user:")


def _drawn_from(series: Series, incident: Incident) -> Version | None:
    return next((version for version in series.versions if version.incident == incident.name), None)


def _writers(series: Series, base: Playbook) -> tuple[str, ...]:
    """Who wrote what the text does that a draft grows from; nobody yet where it grows from nothing."""
    return next((version.writers for version in series.versions if version.pin == base.pin), ())


def _leading_id(incident: Incident) -> str:
    leading = incident.conclusion.leading if incident.conclusion else None
    return leading.id if leading else ""


def _rule(playbook: Playbook, cause: str) -> str:
    return next((rule.id for rule in playbook.spec.triage.hypotheses if rule.cause == cause), "")


def _said(playbook: Playbook, version: Version | None, cause: str) -> Hypothesis:
    """The cause as a person named it: no evidence speaks for it but that word."""
    rule = next((one for one in playbook.spec.triage.hypotheses if one.cause == cause), None)
    return Hypothesis(
        id=rule.id if rule else "said", playbook=playbook.pin, version_id=version.id if version else "",
        title=rule.title if rule else cause, cause=cause, verdict="undecided", prior=0.0, confidence=0.0,
    )  # fmt: skip
