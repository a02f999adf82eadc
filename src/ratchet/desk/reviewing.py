"""Review: what a version changes, what it would have concluded, what stands against it, and its activation."""

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from ratchet.desk.due import due_lines, here_of
from ratchet.desk.playbooks import Playbooks, view_of
from ratchet.desk.vault_views import Examination, ReviewLine
from ratchet.desk.views import PlaybookView
from ratchet.domain.backtest import Backtest
from ratchet.domain.certificate import Certificate
from ratchet.domain.diff import Difference, difference
from ratchet.domain.errors import Code, Outdated, Refusal, conflict, invalid
from ratchet.domain.gate import TERMINAL
from ratchet.domain.playbook import Playbook
from ratchet.domain.ports import Clock, Store
from ratchet.domain.series import Activated, Backtested, Edited, Series, Version
from ratchet.vault.activation import Judged, Reader, check_text, objections, people
from ratchet.vault.backtest import Backtests
from ratchet.vault.files import PlaybookFiles
from ratchet.vault.report import Reports

_REMOVED = re.compile(r"\[secret:[0-9a-f]{4}\]")
TRIES = 5
ANY = "*"
"""As If-Match, whatever stands there: then nothing was read."""


@dataclass(frozen=True)
class Reviewing:
    """What a person asks before a version becomes the active one, and that moment itself."""

    store: Store
    playbooks: Playbooks
    files: PlaybookFiles
    backtests: Backtests
    clock: Clock
    redrawn: Callable[[Version], Edited | None] = lambda _: None
    """A draft's text drawn upon what is active by now; it may refuse."""
    reports: Reports | None = None
    """What was proved, and the tools as they are now; without it, proofs are held against less."""

    def difference(self, reference: str, against: str) -> Difference:
        """What a version changes against another, or against the active one of its series."""
        series, version = self.playbooks.sound(reference)
        if against:
            return _between(self._read(self.playbooks.sound(against)[1]), self._read(version), version.digest)
        return self._difference(series, version)

    def backtest(self, reference: str, since: datetime | None, by: str) -> Backtest:
        """Replay a version; a replay of everything is kept with the version."""
        version = self.playbooks.sound(reference)[1]
        found = self.backtests.run(version, self._read(version), since)
        if since is None and version.state == "draft":
            self._keep(version, found, by)
        return found

    def examine(self, reference: str, by: str, channel: str = TERMINAL) -> Examination:
        """A version with all that speaks for and against it."""
        series, version = self.playbooks.sound(reference)
        judged = self._judged(series, version)
        said = objections(judged, Reader(by, channel), untested=True) if version.state == "draft" else []
        return Examination(
            playbook=view_of(version, whole=True),
            difference=judged.difference,
            mistakes=tuple(judged.mistakes),
            backtest=version.backtest,
            certificates=tuple(self._certificates(version)),
            derived_from=self._read(version).metadata.derived_from,
            authors=people(version),
            writers=version.writers,
            commit=version.commit,
            secrets_removed=len(_REMOVED.findall(version.text)),
            objections=tuple(no.message for no in said),
        )

    def activate(self, reference: str, reason: str, by: str, digest: str = "", channel: str = TERMINAL) -> PlaybookView:
        """Make a draft the active version, or go back to one that was active before; of two at once one wins.

        `digest` is that of the text that was read, `channel` how `by` came. Raises Outdated when the text is another
        one by now, and Refusal(CONFLICT) when none is named and it takes a second person.
        """
        series, version = self.playbooks.find(reference)
        _check_read(version, digest)
        if version.state == "active":
            return view_of(version, whole=True)
        check_text(version)
        if version.state == "retired":
            return self._back(series, version, reason, by)
        if version.state != "draft":
            raise conflict(f"{version.pin} is {version.state}; only a draft can be activated.", "Make a new draft.")
        seen = series.active
        series, version = self._backtested(series, version, by)
        if series.active != seen:
            raise conflict(
                f"Another version of {series.id} was activated meanwhile.", "Read the difference again, then decide."
            )
        _check_read(version, digest)
        judged = self._judged(series, version)
        for no in objections(judged, Reader(by, channel)):
            raise no
        _check_named(judged, digest)
        event = Activated(version_id=version.id, by=by, reason=reason)
        self.store.commit_series(series, event, by=by)
        self._redraw(series.id)
        return self.playbooks.show(version.id)

    def reviews(self) -> list[ReviewLine]:
        """What a person should look at, the most pressing first."""
        return due_lines(self.store, self.files, self.clock(), here_of(self.store, self.reports))

    def _back(self, series: Series, version: Version, reason: str, by: str) -> PlaybookView:
        """Back to a version that was active before: it was read by whom it had to be; it must still be sound."""
        if not reason.strip():
            raise invalid("Going back to an earlier version needs a reason.", "Say what is wrong with the present one.")
        mistakes = [one for one in self.files.mistakes(version.text, version.pin) if one.code != "PB005"]
        if mistakes:
            message = f"{version.pin} no longer fits this release: {len(mistakes)} lint faults."
            raise invalid(message, f"Make a draft of it and mend that: `ratchet vault draft {version.pin}`.", mistakes)
        event = Activated(version_id=version.id, by=by, reason=reason, rollback=True)
        self.store.commit_series(series, event, by=by)
        self._redraw(series.id)
        return self.playbooks.show(version.id)

    def _redraw(self, series_id: str) -> None:
        """The drafts of a series that no person edited follow what is active, so that none makes the library forget
        what another one taught. One that cannot follow stays, and its examination says so."""
        for version in self.store.series(series_id).versions:
            if version.state != "draft" or version.source != "generated" or people(version):
                continue
            with suppress(Refusal):
                event = self.redrawn(version)
                series = self.store.series(series_id)
                if event is not None and series.find(version.id) == version:
                    self.store.commit_series(series, event, by="ratchet")

    def _backtested(self, series: Series, version: Version, by: str) -> tuple[Series, Version]:
        """The version with a backtest of its present text against the present active one, made now when it has none."""
        against = series.active.pin if series.active else ""
        test = version.backtest
        if version.blanks or (test is not None and (test.digest, test.against) == (version.digest, against)):
            return series, version
        self._keep(version, self.backtests.run(version, self._read(version)), by)
        return self.playbooks.find(version.id)

    def _keep(self, version: Version, found: Backtest, by: str) -> None:
        event = Backtested(version_id=version.id, backtest=found)
        for _ in range(TRIES):
            series = self.store.series(version.series)
            now = series.find(version.id)
            if now is None or now.digest != found.digest:
                raise conflict(f"{version.pin} was edited while it was replayed.", "Replay it again.")
            try:
                self.store.commit_series(series, event, by=by)
            except Refusal as no:
                if no.code is not Code.CONFLICT:
                    raise
                continue
            return
        raise conflict(f"The series of {version.pin} kept moving.", "Replay it again.")

    def _judged(self, series: Series, version: Version) -> Judged:
        mistakes = self.files.mistakes(version.text, version.pin)
        return Judged(version, self._difference(series, version), mistakes)

    def _difference(self, series: Series, version: Version) -> Difference:
        active = series.active if series.active and series.active.id != version.id else None
        found = _between(self._sound(active) if active else None, self._read(version), version.digest)
        return found.model_copy(update={"before": active.pin}) if active else found

    def _sound(self, active: Version) -> Playbook | None:
        """The active text; None when it cannot be read, so that whatever takes its place is shown as new in whole."""
        try:
            check_text(active)
            return self._read(active)
        except Refusal as no:
            if no.code not in (Code.FAILED, Code.INVALID):
                raise
            return None

    def _read(self, version: Version) -> Playbook:
        return self.files.read(version.text, version.pin)

    def _certificates(self, version: Version) -> Sequence[Certificate]:
        found = self.store.certificates(version.series)
        return [one for one in found if one.playbook_digest == version.digest]


def _between(before: Playbook | None, after: Playbook, digest: str) -> Difference:
    return difference(before, after).model_copy(update={"digest": digest})


def _check_read(version: Version, digest: str) -> None:
    """Refuse to activate a text that is not the one that was read."""
    if digest not in ("", ANY, version.digest):
        raise Outdated(
            f"{version.pin} was changed since it was read: it is at revision {version.revision}.",
            f"Read it again (`ratchet vault diff {version.id}`), then activate it with its present digest.",
        )


def _check_named(judged: Judged, digest: str) -> None:
    """Where a second person is needed, that person says which bytes were read. The first text of a series that
    Ratchet drew from what worked, and whose steps nobody changed since, is not withheld: it says what was done."""
    version, test = judged.version, judged.version.backtest
    if digest not in ("", ANY) or not (judged.difference.widens or (test is not None and test.worse)):
        return
    if (
        not judged.difference.before
        and version.source == "generated"
        and not any(one.startswith("user:") for one in version.writers)
    ):
        return
    raise conflict(
        f"{version.pin} takes a second person, and nothing says which text of it was read.",
        f"Read it (`ratchet vault diff {version.id}` ends with its digest), then activate it with that digest: "
        f"`ratchet vault activate {version.id} --digest sha256:...`; over HTTP it is the ETag.",
    )
