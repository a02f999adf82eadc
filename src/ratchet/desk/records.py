"""What is taken out of Ratchet: recovery state, resolution and bundle of an incident, and the audit trail."""

from collections.abc import Iterator
from datetime import datetime

from ratchet import __version__
from ratchet.desk.bundle import gather
from ratchet.desk.recovery import kv
from ratchet.desk.resolution import FollowUpView, Resolution, resolution
from ratchet.domain.audit import AuditEntry, AuditKey, AuditReport, Trail
from ratchet.domain.audit_forms import Form, cef, jsonl, ocsf
from ratchet.domain.errors import invalid
from ratchet.domain.incident import Incident
from ratchet.domain.noun import Json
from ratchet.domain.ports import Page, Shelf, Store

AT_ONCE = 500
"""Entries that an export reads in one transaction; between two of them others may write."""
LONGEST_PAGE = 200


class Records:
    """Readings of the event table; nothing here writes."""

    def __init__(self, store: Store, trail: Trail, shelf: Shelf) -> None:
        self._store = store
        self._trail = trail
        self._shelf = shelf

    def kv(self, reference: str) -> dict[str, Json]:
        """The recovery state of an incident."""
        incident = self._store.incident(reference)
        return kv(incident, self._store.timeline(incident.id))

    def resolution(self, reference: str) -> Resolution:
        """How an incident ended, or how far it is."""
        incident = self._store.incident(reference)
        return resolution(incident, self._store.timeline(incident.id), self._follow_up(incident))

    def _follow_up(self, incident: Incident) -> FollowUpView | None:
        """What the playbook that was followed asks for afterwards."""
        if incident.plan is None:
            return None
        asked = self._shelf.version(incident.plan.version_id)[1].spec.follow_ups
        return FollowUpView(ticket=asked[0].link or None, title=asked[0].title) if asked else None

    def bundle(self, reference: str) -> bytes:
        """Everything about an incident as one signed file."""
        return gather(self._store, self._trail, self._store.incident(reference))

    def verify(self, *, full: bool) -> AuditReport:
        """Check the chain."""
        return self._trail.verify(full=full)

    def key(self) -> AuditKey:
        """The public key of the house."""
        return self._trail.key()

    def tail(self, limit: int, cursor: str | None) -> Page[AuditEntry]:
        """The newest entries first; a cursor is the position before which the page begins."""
        if not 1 <= limit <= LONGEST_PAGE:
            raise invalid(f"A page has 1 to {LONGEST_PAGE} entries, not {limit}.", "Follow next_cursor for more.")
        if cursor is not None and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 16):
            raise invalid("This cursor was not given out by this list.", "Leave it out to begin at the first page.")
        found = self._trail.newest(limit, None if cursor is None else int(cursor))
        more = len(found) == limit and found[-1].position > 1
        return Page(items=tuple(found), next_cursor=str(found[-1].position) if more else None)

    def export(self, form: Form, since: datetime | None, until: datetime | None) -> Iterator[str]:
        """A line per event, oldest first, up to the head as it stood at the beginning."""
        if any(moment is not None and moment.tzinfo is None for moment in (since, until)):
            raise invalid("A moment without a time zone is not a moment.", "Write it as 2026-11-20T02:03:04Z.")
        if since is not None and until is not None and since > until:
            said = f"{since.isoformat()} is after {until.isoformat()}: nothing lies between them."
            raise invalid(said, "Swap the two; `--since 2h --until 1h` is the hour before the last.")
        return self._lines(form, (since, until), self._trail.head().position)

    def _lines(self, form: Form, span: tuple[datetime | None, datetime | None], last: int) -> Iterator[str]:
        place = 0
        while True:
            found = self._trail.entries(place, AT_ONCE, since=span[0], until=span[1])
            for entry in found:
                if entry.position > last:
                    return
                yield _written(entry, form)
            if len(found) < AT_ONCE:
                return
            place = found[-1].position


def _written(entry: AuditEntry, form: Form) -> str:
    match form:
        case "jsonl":
            return jsonl(entry)
        case "ocsf":
            return ocsf(entry)
        case "cef":
            return cef(entry, __version__)
