"""Denials of like steps: nobody is asked for what was just denied without being told so."""

from datetime import datetime, timedelta
from typing import NamedTuple

from ratchet.domain.gate import DecisionPacket, Signal
from ratchet.domain.ports import DecisionRow, Store
from ratchet.domain.timeline import Refused

RECENT = timedelta(hours=24)
"""For how long a denial is remembered."""
SEEN = 50
"""The newest denials that are looked through."""


class Denial(NamedTuple):
    """A no to the same tool on the same conflict group: in which incident, by whom, why and when."""

    incident: str
    by: str
    reason: str
    at: datetime

    def sentence(self, now: datetime) -> str:
        """`A like step was denied on INC-3 12 minutes ago by user:ana.`"""
        minutes = max(0, int((now - self.at).total_seconds() // 60))
        return f"A like step was denied on {self.incident} {_ago(minutes)} by {self.by}."


def _ago(minutes: int) -> str:
    if minutes < 1:
        return "just now"
    if minutes >= 120:
        return f"{minutes // 60} hours ago"
    return "1 minute ago" if minutes == 1 else f"{minutes} minutes ago"


def denied_before(store: Store, packet: DecisionPacket, now: datetime) -> list[Denial]:
    """The denials of like steps within the last day, newest first; a denied way back is none."""
    rows = store.decisions(state=["denied"], limit=SEEN).items
    found = [_denial(store, row) for row in rows if _like(packet, store.decision(row.id)[1])]
    recent = [denial for denial in found if denial is not None and now - denial.at <= RECENT]
    return sorted(recent, key=lambda denial: denial.at, reverse=True)


def _like(packet: DecisionPacket, other: DecisionPacket) -> bool:
    same = (packet.act.tool, packet.conflict_group) == (other.act.tool, other.conflict_group)
    return same and other.undo_of is None


def _denial(store: Store, row: DecisionRow) -> Denial | None:
    for told in store.timeline(row.incident):
        if isinstance(told.event, Refused) and told.event.decision == row.id:
            return Denial(row.incident_name, told.event.by, told.event.reason, told.at)
    return None


def reminded(packet: DecisionPacket, denied: list[Denial]) -> DecisionPacket:
    """The packet, which says of every such denial that it stands against the step, and of the newest where it asks."""
    if not denied:
        return packet
    now = packet.created_at
    against = tuple(
        Signal(source=each.incident, signal=f"{each.sentence(now)} The reason: {each.reason or 'none was given'}")
        for each in denied
    )
    prompt = f"{packet.approval_prompt} {denied[0].sentence(now)}"
    return packet.model_copy(update={"against": (*against, *packet.against), "approval_prompt": prompt})
