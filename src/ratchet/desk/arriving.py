"""What enters the vault: texts from outside, what worked in an incident, and the start of a run."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from ratchet.desk.alerts import Intake
from ratchet.desk.hands_over import HandsOver
from ratchet.desk.playbooks import Playbooks, view_of
from ratchet.desk.records import Records
from ratchet.desk.vault_views import Arrival, Arrived, BundleRequest, BundleView, Started
from ratchet.desk.views import DraftView, PlaybookView
from ratchet.domain.alert import Alert
from ratchet.domain.errors import Code, Refusal, conflict, invalid, not_found
from ratchet.domain.ports import Clock, Shelf, Store
from ratchet.domain.series import Series, Version, VersionDrafted
from ratchet.security.principal import Principal
from ratchet.vault.canonical import canonical_text
from ratchet.vault.files import PlaybookFiles
from ratchet.vault.foreign import form_of
from ratchet.vault.importing import Read, check_typed, read_text, same_text
from ratchet.vault.keeping import Drafting
from ratchet.vault.making import Made, free_version, new_version, short

SOURCE = "ratchet-run"


@dataclass(frozen=True)
class Arriving:
    """Ways into the vault. All of them end in a draft."""

    store: Store
    shelf: Shelf
    files: PlaybookFiles
    drafting: Drafting
    ends: tuple[HandsOver, Records, Intake]
    playbooks: Playbooks
    clock: Clock
    new_id: Callable[[], str]

    def bring(self, arrival: Arrival, by: str) -> Arrived:
        """A text becomes a draft under a free number; a text that is there already stays what it is."""
        if (arrival.form or form_of(arrival.text)) == "ratchet":
            self.files.check_kept(arrival.text, arrival.where)
        read = read_text(arrival.text, arrival.where, arrival.form, (self.files, self.shelf))
        check_typed(read.playbook, arrival.where)
        self.files.check_kept(canonical_text(read.playbook), arrival.where)
        series = self.store.series(read.playbook.metadata.series)
        known = same_text(series.versions, read)
        if known is not None:
            return Arrived(playbook=view_of(known, whole=True), new=False, notes=read.notes)
        version, notes = self._imported(read, series, arrival, by)
        self.store.commit_series(series, VersionDrafted(version=version), by=by)
        return Arrived(playbook=self.playbooks.show(version.id), new=True, notes=notes)

    def draft_from(self, reference: str, by: str) -> PlaybookView:
        """The draft of an incident; made now when it was not drafted before."""
        incident = self.store.incident(reference)
        if incident.draft is None:
            drafted = self.drafting.asked(incident)
            try:
                # Due at once: an act of an incident that a person ended may still have to be settled.
                self.store.commit(incident, drafted, by=by, wake_at=self.clock())
            except Refusal as no:
                if no.code is not Code.CONFLICT:
                    raise
        else:
            drafted = incident.draft
        return self.playbooks.show(drafted.draft)

    def bundle(self, request: BundleRequest, who: Principal) -> BundleView:
        """How an incident ended: what is still open is resolved or escalated by this word, and what worked drafted."""
        hands_over, records, _ = self.ends
        incident = self.store.incident(request.incident)
        if request.outcome == "escalated":
            if incident.status != "escalated":
                hands_over.escalate(who, request.incident, request.reason, "by_person")
        elif incident.status not in ("resolved", "closed"):
            if not request.cause or not request.reason:
                message = f"{incident.name} is {incident.status.replace('_', ' ')}: its end has to be said first."
                raise invalid(message, "Send `cause` (a name of the cause vocabulary) and `reason` with it.")
            hands_over.resolve(who, request.incident, request.cause, request.reason)
        drafted, why = self._drafted(request, who.id)
        content = records.bundle(request.incident)
        return BundleView(
            incident=incident.name, outcome=request.outcome, status=self.store.incident(request.incident).status,
            bundle=f"/api/v1/incidents/{incident.name}/bundle", sha256=hashlib.sha256(content).hexdigest(),
            draft=drafted, why_no_draft=why,
        )  # fmt: skip

    def run(self, reference: str, target: str, by: str) -> Started:
        """Open an incident whose alert names this playbook. It looks, judges and asks like any other."""
        version = self.playbooks.find(reference)[1]
        if version.state != "active":
            message = f"{version.pin} is {version.state}; only what is active is followed."
            raise conflict(message, f"Activate it first: `ratchet vault activate {version.id} --reason ...`.")
        if all(one.name != target for one in self.store.targets()):
            raise not_found("target", target, "List them: `ratchet target list`.")
        playbook = self.shelf.version(version.id)[1]
        named = next((rule["alertname"] for rule in playbook.spec.match if "alertname" in rule), "PlaybookRun")
        symptom = playbook.spec.symptoms[0] if playbook.spec.symptoms else playbook.metadata.title
        alert = Alert(
            source=SOURCE, fingerprint=short(f"{version.series}|{target}", 16), starts_at=self.clock(),
            labels={"alertname": named, "target": target, "playbook": version.series},
            annotations={"summary": symptom, "description": f"{by} runs {version.pin}."},
        )  # fmt: skip
        names = self.ends[2].receive([alert], by)
        return Started(incident=names[0], playbook=version.pin)

    def _imported(self, read: Read, series: Series, arrival: Arrival, by: str) -> tuple[Version, tuple[str, ...]]:
        """The version; a number that is taken by another text moves on, since a version never changes its text."""
        playbook, notes = read.playbook, read.notes
        wanted = playbook.metadata.version
        if any(one.version == wanted for one in series.versions):
            number = free_version(wanted, series)
            playbook = playbook.model_copy(
                update={"metadata": playbook.metadata.model_copy(update={"version": number})}
            )
            if read.near is None:
                notes = (*notes, f"{series.id}@{wanted} is another text already: this one is version {number}")
        made = Made(f"pb_import_{short(self.new_id())}", self.clock(), by)
        update = {"commit": arrival.commit, "arrived": read.arrived}
        version = new_version(playbook, "imported", made).model_copy(update=update)
        blanks = tuple(f"blank: {blank}" for blank in version.blanks)
        return version, (*notes, *blanks)

    def _drafted(self, request: BundleRequest, by: str) -> tuple[DraftView | None, str]:
        if request.outcome != "resolved":
            return None, "only what was resolved is drafted"
        try:
            view = self.draft_from(request.incident, by)
        except Refusal as no:
            return None, f"{no.message} {no.remedy}".strip()
        return DraftView(id=view.id, series=view.series_id, version=view.version), ""
