"""The vault as the desk shows and changes it: versions, their history, edits of drafts, what is taken out of use."""

from collections.abc import Callable
from typing import get_args

from ratchet.desk.vault_views import HistoryLine, PageForm
from ratchet.desk.views import LintView, PlaybookView
from ratchet.domain.errors import Code, Outdated, Refusal, conflict, invalid, not_found
from ratchet.domain.playbook import Playbook
from ratchet.domain.ports import Clock, Store
from ratchet.domain.series import Activated, Discarded, Edited, Retired, Seeded, Series, Version, VersionDrafted
from ratchet.vault.activation import check_text
from ratchet.vault.canonical import canonical_text, text_digest
from ratchet.vault.files import PlaybookFiles
from ratchet.vault.lessons import spoken
from ratchet.vault.making import Made, Source, blanks_of, free_version, new_version, short
from ratchet.vault.prompt import prompt
from ratchet.vault.render import markdown

EDITABLE = ("guidance", "owner", "team", "text")
WORDS = ("guidance", "owner", "team", "tags", "follow_ups", "links", "review")
"""Parts of a text that people read and nothing acts by."""
TRIES = 20
"""How often a change is written again when only another version of the series moved meanwhile."""


class Playbooks:
    """What may be asked of the vault, but for review and activation."""

    def __init__(self, store: Store, files: PlaybookFiles, clock: Clock, new_id: Callable[[], str]) -> None:
        self._store = store
        self._files = files
        self._clock = clock
        self._new_id = new_id

    def list(self, source: str | None, series: str | None) -> list[PlaybookView]:
        """All versions by series, newest first within each, without their texts; raises Refusal(INVALID) for a source
        that there is not."""
        if source is not None and source not in get_args(Source):
            raise invalid(f"There is no source {source[:40]!r}.", f"Name one of {', '.join(get_args(Source))}.")
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

    def sound(self, reference: str) -> tuple[Series, Version]:
        """The same; raises Refusal(FAILED) when the text is not the one that was kept under its digest."""
        series, version = self.find(reference)
        check_text(version)
        return series, version

    def show(self, reference: str) -> PlaybookView:
        """One version with its text."""
        return view_of(self.sound(reference)[1], whole=True)

    def render(self, reference: str, form: PageForm) -> str:
        """One version as a Markdown page or a prompt."""
        version = self.sound(reference)[1]
        playbook = self._files.read(version.text, version.pin)
        return markdown(playbook) if form == "md" else prompt(playbook)

    def lint(self, text: str, where: str) -> LintView:
        """Every mistake at once."""
        return LintView(where=where, mistakes=tuple(self._files.mistakes(text, where)))

    def edit(self, reference: str, changes: dict[str, str], expected: str, by: str) -> PlaybookView:
        """A new revision of a draft under the same id; the file is checked before anything is kept."""
        unknown = sorted(set(changes) - set(EDITABLE))
        if unknown or not changes:
            named = ", ".join(unknown) or "nothing"
            raise invalid(f"A draft cannot be changed by {named}.", f"Send one or more of {', '.join(EDITABLE)}.")
        read = self.sound(reference)[1]
        before = self._files.read(read.text, read.pin)
        playbook = self._changed(read, changes)
        text = canonical_text(playbook)
        event = Edited(
            version_id=read.id, text=text, digest=text_digest(text), guidance=playbook.spec.guidance,
            blanks=blanks_of(playbook, read.source), words_only=_words_only(before, playbook),
        )  # fmt: skip

        def edited(version: Version) -> Edited:
            must_be_draft(version, "changed")
            if expected not in ("", "*", version.digest) or version.digest != read.digest:
                raise Outdated(f"{version.pin} was edited meanwhile: it is at revision {version.revision}.")
            return event

        return self._write(read.id, edited, by)

    def discard(self, reference: str, reason: str, by: str) -> None:
        """Throw a draft away; its history stays."""

        def discarded(version: Version) -> Discarded:
            must_be_draft(version, "discarded")
            return Discarded(version_id=version.id, by=by, reason=reason)

        self._write(self.find(reference)[1].id, discarded, by)

    def retire(self, reference: str, reason: str, by: str) -> PlaybookView:
        """Take the active version out of use."""
        if not reason.strip():
            raise invalid("A reason is needed to retire a playbook.", "Say why nobody needs it any more.")

        def retired(version: Version) -> Retired:
            if version.state != "active":
                raise conflict(
                    f"{version.pin} is {version.state}; only what is active can be retired.", "See its state."
                )
            return Retired(version_id=version.id, by=by, reason=reason)

        return self._write(self.find(reference)[1].id, retired, by)

    def new_draft(self, reference: str, reason: str, by: str) -> PlaybookView:
        """A draft with the text of a version under the next free number; its source is the person."""
        series, version = self.sound(reference)
        playbook = self._files.read(version.text, version.pin)
        update = {
            "version": free_version(playbook.metadata.version, series), "source": "manual",
            "derived_from": {"playbook": version.pin, **({"because": spoken(reason)[:200]} if reason.strip() else {})},
        }  # fmt: skip
        copy = playbook.model_copy(update={"metadata": playbook.metadata.model_copy(update=update)})
        made = new_version(copy, "manual", Made(f"pb_manual_{short(self._new_id())}", self._clock(), by))
        made = made.model_copy(update={"wrote": version.writers})
        self._store.commit_series(series, VersionDrafted(version=made), by=by)
        return self.show(made.id)

    def history(self, series: str) -> "list[HistoryLine]":
        """Everything that happened in a series, oldest first."""
        timeline = self._store.series_timeline(series)
        if not timeline:
            raise not_found("series", series, "List them: `ratchet playbook list`.")
        pins = {v.id: v.version for v in self._store.series(series).versions}
        lines: list[HistoryLine] = []
        for one in timeline:
            event = one.event
            version = event.version if isinstance(event, Seeded | VersionDrafted) else None
            version_id = version.id if version is not None else str(getattr(event, "version_id", ""))
            digest = version.digest if version is not None else str(getattr(event, "digest", ""))
            word = "rolled_back" if isinstance(event, Activated) and event.rollback else event.label
            lines.append(
                HistoryLine(
                    seq=one.seq, at=one.at, by=one.by, event=word, id=version_id, version=pins.get(version_id, ""),
                    reason=str(getattr(event, "reason", "")), digest=digest,
                )
            )  # fmt: skip
        return lines

    def _changed(self, version: Version, changes: dict[str, str]) -> Playbook:
        text = changes.get("text")
        playbook = self._files.read(version.text, version.pin) if text is None else self._files.load(text, version.pin)
        if (playbook.metadata.series, playbook.metadata.version) != (version.series, version.version):
            raise invalid(f"The text is for {playbook.pin}, the draft is {version.pin}.", "Keep series and version.")
        fields = {key: value for key, value in changes.items() if key != "text"}
        if text is not None:
            self._files.check_kept(text, version.pin)
        self._files.check_words(fields, version.pin)
        return playbook.model_copy(update={"spec": playbook.spec.model_copy(update=fields)})

    def _write(
        self, version_id: str, event_for: "Callable[[Version], Edited | Discarded | Retired]", by: str
    ) -> PlaybookView:
        """Write the event that fits the version as it stands, again when only other versions moved meanwhile."""
        for _ in range(TRIES):
            series, version = self.find(version_id)
            event = event_for(version)
            try:
                series = self._store.commit_series(series, event, by=by)
            except Refusal as no:
                if no.code is not Code.CONFLICT:
                    raise
                continue
            changed = series.find(version_id)
            return view_of(changed or version, whole=True)
        raise conflict(f"The series of {version_id} kept moving.", "Look at it, and say it again.")


def _words_only(before: Playbook, after: Playbook) -> bool:
    as_it_was = {name: getattr(before.spec, name) for name in WORDS}
    return after.model_copy(update={"spec": after.spec.model_copy(update=as_it_was)}) == before


def must_be_draft(version: Version, what: str) -> None:
    """Raise Refusal(CONFLICT) for what is in use or was."""
    if version.state != "draft":
        remedy = f"Make a draft of it first: `ratchet vault draft {version.pin}`."
        raise conflict(f"{version.pin} is {version.state}; only a draft can be {what}.", remedy)


def view_of(version: Version, *, whole: bool = False) -> PlaybookView:
    """A version in the names that other programs rely on."""
    return PlaybookView(
        id=version.id, name=version.name, series_id=version.series, version=version.version, source=version.source,
        is_active=version.state == "active", state=version.state, title=version.title, guidance=version.guidance,
        created_at=version.created_at, created_by=version.created_by, digest=version.digest,
        revision=version.revision, incident=version.incident, fault=version.fault, blanks=version.blanks,
        text=version.text if whole else "",
    )  # fmt: skip
