"""What a start must put right when the wall clock went back while nobody watched."""

from ratchet.domain.ports import Clock, Store
from ratchet.domain.timeline import Superseded
from ratchet.execution.pen import Pen

BECAUSE = "The wall clock went back; approvals from before count no more."


def void_approvals(store: Store, clock: Clock) -> None:
    """Ask every open decision anew: nobody knows how old what was asked or approved really is."""
    pen, cursor = Pen(store), None
    while True:
        page = store.incidents(status=("awaiting_approval",), limit=200, cursor=cursor)
        for incident in page.items:
            if incident.packet is not None and not incident.answered:
                gone = Superseded(decision=incident.packet.id, because=BECAUSE)
                pen.write(incident, gone, wake_at=clock())
        cursor = page.next_cursor
        if cursor is None:
            return
