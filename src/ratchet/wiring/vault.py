"""The vault's rooms put together: review, backtest, what comes from outside, and what worked."""

from collections.abc import Callable, Mapping, Sequence

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
from ratchet.tools.replay import Replay
from ratchet.vault.backtest import Backtests
from ratchet.vault.files import PlaybookFiles
from ratchet.vault.keeping import Drafting
from ratchet.vault.report import Reports

PRESSING = ("failed", "overdue", "environment")


def remind(reviews: Sequence[ReviewLine], log: Callable[[str], None]) -> None:
    """One log line for each playbook that a person should look at before it is needed."""
    for line in reviews:
        if line.what in PRESSING:
            because = line.because.replace("\\", "\\\\").replace('"', '\\"')
            log(
                f'WARN msg="vault: a playbook wants a person" series={line.series} version={line.version}'
                f' what={line.what} because="{because}" owner="{line.owner}"'
            )


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
    return VaultRooms(
        playbooks=playbooks,
        reviewing=Reviewing(store, playbooks, files, backtests, now, drafting.redrawn),
        arriving=Arriving(store, shelf, files, drafting, ends, playbooks, now, new_id),
        reports=Reports(store, faults, tools, now),
        nudge=nudge,
    )
