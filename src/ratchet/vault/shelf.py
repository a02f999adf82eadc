"""The shelf: active versions as typed playbooks, each checked against the digest under which it was kept."""

from threading import Lock

from ratchet.domain.errors import Code, Refusal, not_found
from ratchet.domain.playbook import Playbook
from ratchet.domain.ports import Files, Store
from ratchet.domain.series import Version
from ratchet.vault.activation import check_text


class VaultShelf:
    """The port `Shelf` over the store. A text is read once per digest. One that does not load or does
    not fit its digest is left out alone, and asking for it by name is refused."""

    def __init__(self, store: Store, files: Files) -> None:
        self._store = store
        self._files = files
        self._read: dict[str, Playbook] = {}
        self._lock = Lock()

    def candidates(self, kind: str) -> list[tuple[Version, Playbook]]:
        """Every active playbook for a target kind that can be read, by series; the others are in `left_out`."""
        return [(version, playbook) for version, playbook in self._active()[0] if playbook.spec.kind == kind]

    def left_out(self) -> list[Refusal]:
        """Why active playbooks, of whatever kind, cannot be read, and what to do about each; empty when all can."""
        return self._active()[1]

    def version(self, version_id: str) -> tuple[Version, Playbook]:
        """One version, whatever its state; raises Refusal(NOT_FOUND)."""
        version = self._store.series_of(version_id).find(version_id)
        if version is None:
            raise not_found("playbook version", version_id, "List them: ratchet vault list")
        return version, self._playbook(version)

    def _active(self) -> tuple[list[tuple[Version, Playbook]], list[Refusal]]:
        """The active playbooks that can be read, and what is wrong with the others: one bad text hides no other."""
        found: list[tuple[Version, Playbook]] = []
        left_out: list[Refusal] = []
        for version in [series.active for series in self._store.all_series()]:
            if version is None:
                continue
            try:
                found.append((version, self._playbook(version)))
            except Refusal as no:
                if no.code not in (Code.FAILED, Code.INVALID):
                    raise
                left_out.append(_unfit(version, no))
        return found, left_out

    def _playbook(self, version: Version) -> Playbook:
        check_text(version)
        # Held while a text is read: at a start all threads want the same ones, and each would read them all.
        with self._lock:
            known = self._read.get(version.digest)
            if known is None:
                known = self._read[version.digest] = self._files.load(version.text, version.pin)
        return known


def _unfit(version: Version, no: Refusal) -> Refusal:
    """The refusal of an active text, told to whoever did not ask for it: which version, and what to do with it."""
    if no.code is Code.FAILED:
        return no
    first = f": {no.mistakes[0].code} {no.mistakes[0].message}" if no.mistakes else ""
    return Refusal(
        no.code,
        f"The text of {version.pin} ({version.id}) does not load in this release{first}.",
        f"Make a draft of it and mend that (`ratchet vault draft {version.pin}`), or activate an earlier version.",
        no.mistakes,
    )
