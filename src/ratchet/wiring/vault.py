"""The vault's rooms put together: review, backtest, what comes from outside, and what worked."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from ratchet.desk.alerts import Intake
from ratchet.desk.arriving import Arriving
from ratchet.desk.hands_over import HandsOver
from ratchet.desk.playbooks import Playbooks
from ratchet.desk.records import Records
from ratchet.desk.reviewing import Reviewing
from ratchet.desk.vault_room import VaultRooms
from ratchet.desk.vault_views import ReviewLine
from ratchet.domain.fault import Fault
from ratchet.domain.ports import Clock, Shelf, Store
from ratchet.notify.reminders import Reminder
from ratchet.tools.replay import Replay
from ratchet.vault.backtest import Backtests
from ratchet.vault.files import PlaybookFiles
from ratchet.vault.keeping import Drafting
from ratchet.vault.report import Reports

PRESSING = ("failed", "overdue", "environment")


def due_reminders(reviews: Sequence[ReviewLine], at: datetime, every: float) -> list[Reminder]:
    """What a person should look at before it is needed; told again after each `every` seconds for as long as it is."""
    pressing = [line for line in reviews if line.what in PRESSING]
    return [_reminder(line, int((at - (line.since or at)).total_seconds() // every) + 1) for line in pressing]


def _reminder(line: ReviewLine, period: int) -> Reminder:
    because = line.because.replace("\\", "\\\\").replace('"', '\\"')
    text = (
        f'WARN msg="vault: a playbook wants a person" series={line.series} version={line.version}'
        f' what={line.what} because="{because}" owner="{line.owner}"'
    )
    since = line.since.isoformat() if line.since else ""
    body = {key: str(value or "") for key, value in line.model_dump(mode="json").items()}
    return Reminder(f"reminder {line.id} {line.what} {since}", period, text, body)


def vault_rooms(
    state: tuple[Store, Clock, Callable[[], str]], texts: tuple[PlaybookFiles, Shelf],
    practice: tuple[Mapping[str, Fault], Callable[[], str]],
    ends: tuple[HandsOver, Records, Intake], nudge: Callable[[], None],
) -> VaultRooms:  # fmt: skip
    """Everything that the vault's verbs need; `state` is the store, the clock and where ids come from, `practice` the
    faults that are known and the digest of the tools that meet them."""
    store, now, new_id = state
    files, shelf = texts
    faults, tools = practice
    playbooks = Playbooks(store, files, now, new_id)
    backtests = Backtests(store, shelf, Replay, now, lambda fault: faults[fault].spec.cause if fault in faults else "")
    drafting = Drafting(store, shelf, faults.get, new_id)
    reports = Reports(store, faults, tools, now)
    return VaultRooms(
        playbooks=playbooks,
        reviewing=Reviewing(store, playbooks, files, backtests, now, drafting.redrawn, reports),
        arriving=Arriving(store, shelf, files, drafting, ends, playbooks, now, new_id),
        reports=reports,
        nudge=nudge,
        scrub=ends[0].scrub,
    )
