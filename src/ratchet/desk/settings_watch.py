"""Certificates end with the settings that they were given under: now and then the server is asked for them again."""

from ratchet.desk.certifying import settings_hash
from ratchet.domain.certificate import Certificate
from ratchet.domain.errors import Refusal
from ratchet.domain.incident import LIVE
from ratchet.domain.ports import Clock, Shelf, Store, Toolbox

OTHER_SETTINGS = "the settings of {target} are others now"


class SettingsWatch:
    """Revokes certificates whose server has other settings than the ones they were given under.

    A difference counts once two rounds in a row saw the same one while nothing was the matter with the server: a
    fault may be in effect before its alert is. A server that is not known here, or says nothing, ends no certificate.
    """

    def __init__(self, store: Store, shelf: Shelf, toolbox: Toolbox, clock: Clock) -> None:
        self._store = store
        self._shelf = shelf
        self._toolbox = toolbox
        self._clock = clock
        self._suspected: dict[str, str] = {}

    def round(self) -> None:
        """Ask once; raises Refusal where the state cannot be read."""
        suspected: dict[str, str] = {}
        for one in self._worth_asking():
            now = self.seen(one)
            if now in ("", one.settings_hash):
                continue
            if self._suspected.get(one.id) == now:
                self._store.revoke_certificate(one.id, OTHER_SETTINGS.format(target=one.target), "ratchet")
            else:
                suspected[one.id] = now
        self._suspected = suspected

    def seen(self, one: Certificate) -> str:
        """The hash over the settings of the certificate's server as they are now; empty where they are not known."""
        try:
            playbook = self._shelf.version(one.version_id)[1]
        except Refusal:
            return ""
        return settings_hash(self._toolbox, one.target, playbook)

    def _worth_asking(self) -> list[Certificate]:
        known = {target.name for target in self._store.targets()}
        troubled = {one.target for one in self._store.incidents(limit=200).items if one.status in LIVE}
        now = self._clock()
        certificates = [one for one in self._store.certificates() if one.settings_hash and not one.dead(now)]
        return [one for one in certificates if one.target in known - troubled]
