"""The vault as the desk shows and changes it: versions, edits of drafts, activation by a person."""

from ratchet.desk.views import LintView, PlaybookView
from ratchet.domain.errors import Refusal, conflict, invalid, not_found
from ratchet.domain.playbook import Playbook
from ratchet.domain.ports import Store
from ratchet.domain.series import Activated, Discarded, Edited, Series, Version
from ratchet.vault.canonical import canonical_text, text_digest
from ratchet.vault.draft import blanks_of
from ratchet.vault.files import PlaybookFiles
from ratchet.vault.render import markdown

EDITABLE = ("guidance", "owner", "team", "text")


class Playbooks:
    """What may be asked of the vault in this release."""

    def __init__(self, store: Store, files: PlaybookFiles) -> None:
        self._store = store
        self._files = files

    def list(self, source: str | None, series: str | None) -> list[PlaybookView]:
        """All versions by series, newest first within each, without their texts."""
        found = [
            view_of(version)
            for one in self._store.all_series()
            for version in reversed(one.versions)
            if (series is None or one.id == series) and (source is None or version.source == source)
        ]
        return [view for view in found if view.state != "discarded"]

    def find(self, reference: str) -> tuple[Series, Version]:
        """A version by id, by `series@version`, or a series' active one."""
        if reference.startswith("pbs_"):
            series_id, _, number = reference.partition("@")
            series = self._store.series(series_id)
            hits = [v for v in series.versions if v.version == number and v.state != "discarded"]
            version = series.active if not number else (hits[-1] if hits else None)
            if version is None:
                raise not_found("playbook", reference, "List them: `ratchet playbook list`.")
            return series, version
        series = self._store.series_of(reference)
        version = series.find(reference)
        if version is None:
            raise not_found("playbook", reference, "List them: `ratchet playbook list`.")
        return series, version

    def show(self, reference: str) -> PlaybookView:
        """One version with its text."""
        return view_of(self.find(reference)[1], whole=True)

    def render(self, reference: str) -> str:
        """One version as a Markdown page."""
        version = self.find(reference)[1]
        return markdown(self._files.load(version.text, version.pin))

    def lint(self, text: str, where: str) -> LintView:
        """Every mistake at once."""
        return LintView(where=where, mistakes=tuple(self._files.mistakes(text, where)))

    def edit(self, reference: str, changes: dict[str, str], by: str) -> PlaybookView:
        """A new revision of a draft under the same id; the file is checked before anything is kept."""
        unknown = sorted(set(changes) - set(EDITABLE))
        if unknown or not changes:
            named = ", ".join(unknown) or "nothing"
            raise invalid(f"A draft cannot be changed by {named}.", f"Send one or more of {', '.join(EDITABLE)}.")
        series, version = self.find(reference)
        self._must_be_draft(version, "changed")
        playbook = self._changed(version, changes)
        text = canonical_text(playbook)
        event = Edited(
            version_id=version.id, text=text, digest=text_digest(text), guidance=playbook.spec.guidance,
            blanks=blanks_of(playbook),
        )  # fmt: skip
        series = self._store.commit_series(series, event, by=by)
        return self.show(version.id)

    def _changed(self, version: Version, changes: dict[str, str]) -> Playbook:
        playbook = self._files.load(changes.get("text", version.text), version.pin)
        if (playbook.metadata.series, playbook.metadata.version) != (version.series, version.version):
            raise invalid(f"The text is for {playbook.pin}, the draft is {version.pin}.", "Keep series and version.")
        fields = {key: value for key, value in changes.items() if key != "text"}
        return playbook.model_copy(update={"spec": playbook.spec.model_copy(update=fields)})

    def activate(self, reference: str, reason: str, by: str) -> PlaybookView:
        """Make a draft the active version. An active version stays so; blanks and lint faults refuse it."""
        series, version = self.find(reference)
        if version.state == "active":
            return view_of(version, whole=True)
        self._must_be_draft(version, "activated")
        if version.blanks:
            message = f"{version.pin} still has blanks that only a person can fill: {', '.join(version.blanks)}."
            raise invalid(message, f"Edit the draft first: `ratchet playbook edit {version.id} ...`.")
        mistakes = self._files.mistakes(version.text, version.pin)
        if mistakes:
            raise invalid(f"{version.pin} has {len(mistakes)} lint faults.", "Mend them, then activate.", mistakes)
        self._store.commit_series(series, Activated(version_id=version.id, by=by, reason=reason), by=by)
        return self.show(version.id)

    def discard(self, reference: str, reason: str, by: str) -> None:
        """Throw a draft away; its history stays."""
        series, version = self.find(reference)
        self._must_be_draft(version, "discarded")
        self._store.commit_series(series, Discarded(version_id=version.id, by=by, reason=reason), by=by)

    @staticmethod
    def _must_be_draft(version: Version, what: str) -> None:
        if version.state != "draft":
            raise _not_a_draft(version, what)


def _not_a_draft(version: Version, what: str) -> Refusal:
    remedy = (
        "A draft comes from a verified incident, or from a file with a version of its own in `playbooks/` of a "
        "directory that RATCHET_LIBRARY names, read at start."
    )
    return conflict(f"{version.pin} is {version.state}; only a draft can be {what}.", remedy)


def view_of(version: Version, *, whole: bool = False) -> PlaybookView:
    """A version in the names that other programs rely on."""
    return PlaybookView(
        id=version.id, name=version.name, series_id=version.series, version=version.version, source=version.source,
        is_active=version.state == "active", state=version.state, title=version.title, guidance=version.guidance,
        created_at=version.created_at, created_by=version.created_by, digest=version.digest,
        revision=version.revision, incident=version.incident, fault=version.fault, blanks=version.blanks,
        text=version.text if whole else "",
    )  # fmt: skip
