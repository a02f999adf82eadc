"""The shelf: active versions as typed playbooks, each checked against the digest under which it was kept."""

from threading import Lock

from ratchet.domain.errors import Code, Refusal, not_found
from ratchet.domain.playbook import Playbook
from ratchet.domain.ports import Files, Store
from ratchet.domain.series import Version
from ratchet.vault.canonical import text_digest


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
        if text_digest(version.text) != version.digest:
            raise Refusal(
                Code.FAILED,
                f"The text of {version.pin} ({version.id}) is not the one that was kept under its digest.",
                "Do not use it. Check the event chain and restore the state from a backup.",
            )
        with self._lock:
            known = self._read.get(version.digest)
        if known is None:
            known = self._files.load(version.text, version.pin)
            with self._lock:
                self._read[version.digest] = known
        return known
