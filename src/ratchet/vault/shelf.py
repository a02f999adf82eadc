"""The shelf: active versions as typed playbooks, each checked against the digest under which it was kept."""

from threading import Lock

from ratchet.domain.errors import not_found
from ratchet.domain.playbook import Playbook
from ratchet.domain.ports import Files, Store
from ratchet.domain.series import Version
from ratchet.vault.activation import check_text


class VaultShelf:
    """The port `Shelf` over the store. A text is read once per digest; what does not fit its digest is refused."""

    def __init__(self, store: Store, files: Files) -> None:
        self._store = store
        self._files = files
        self._read: dict[str, Playbook] = {}
        self._lock = Lock()

    def candidates(self, kind: str) -> list[tuple[Version, Playbook]]:
        """Every active playbook for a target kind, by series."""
        active = [series.active for series in self._store.all_series()]
        found = [(version, self._playbook(version)) for version in active if version is not None]
        return [(version, playbook) for version, playbook in found if playbook.spec.kind == kind]

    def version(self, version_id: str) -> tuple[Version, Playbook]:
        """One version, whatever its state; raises Refusal(NOT_FOUND)."""
        version = self._store.series_of(version_id).find(version_id)
        if version is None:
            raise not_found("playbook version", version_id, "List them: ratchet vault list")
        return version, self._playbook(version)

    def _playbook(self, version: Version) -> Playbook:
        check_text(version)
        with self._lock:
            known = self._read.get(version.digest)
        if known is None:
            known = self._files.load(version.text, version.pin)
            with self._lock:
                self._read[version.digest] = known
        return known
