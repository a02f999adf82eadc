"""From a killed process to a ready one, with a million events behind it: the start walks what no seal covers."""

import json
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter

from ulid import ULID

from bench.figure import Figure, spread
from ratchet.domain.alert import Alert
from ratchet.domain.incident import Incident
from ratchet.domain.timeline import Noted, Opened
from ratchet.store import incidents, occurrences
from ratchet.store.encoding import EVENT
from ratchet.store.proof import BEGINNING
from ratchet.store.store import EventStore

EVENTS = int(os.environ.get("RATCHET_BENCH_EVENTS", "1000000"))
PER_INCIDENT = 200
AT_ONCE = 2000
STARTS = 3
TEXT = "A person wrote down what was seen on the server, in about as many words as an event usually has. " * 3
START = """
import json, sys, time
begun = time.perf_counter()
from pathlib import Path
from ratchet.config import read_settings
from ratchet.wiring import open_house
loaded = time.perf_counter()
house = open_house(read_settings({}, Path(sys.argv[1])), lambda line: None)
ready = all(check.ok is not False for check in house.ready())
done = time.perf_counter()
print(json.dumps({"ready": ready, "loaded": loaded - begun, "opened": done - loaded}), flush=True)
import os
os._exit(0)
"""
"""A process of its own that ends without closing anything, as a killed one does."""
BYTECODE = "PYTHONDONTWRITEBYTECODE"
"""Not handed on: an installed program has its bytecode beside it, and so has the first start, which is not counted."""


def run() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="ratchet-bench-") as place:
        home = Path(place) / "home"
        began = perf_counter()
        events = fill(home)
        filled = perf_counter() - began
        begun_and_killed(home)
        starts = [begun_and_killed(home) for _ in range(STARTS)]
        links, whole = walk(home)
        size = (home / "ratchet.db").stat().st_size / 1e6
    if not all(each["ready"] for each in starts):
        raise RuntimeError("the house was not ready")
    note = f"{events} events, {size:.0f} MB, written in {filled:.0f} s; no clean close"
    opened = [each["opened"] for each in starts]
    both = [each["opened"] + each["loaded"] for each in starts]
    return [
        spread("house open and ready", opened),
        spread("with the interpreter's imports", both, goal=2.0),
        Figure("every link walked", links, "s", 15.0, note=note),
        Figure("audit verify --full, which also folds every incident", whole, "s"),
    ]


def begun_and_killed(home: Path) -> dict[str, float]:
    environ = {name: value for name, value in os.environ.items() if name != BYTECODE}
    environ["PYTHONPYCACHEPREFIX"] = str(home.parent / "bytecode")
    said = subprocess.run(
        [sys.executable, "-c", START, str(home)], capture_output=True, text=True, check=True, env=environ
    )
    found: dict[str, float] = json.loads(said.stdout)
    return found


def walk(home: Path) -> tuple[float, float]:
    with EventStore.open_at(home, lambda: datetime.now(UTC), lambda: str(ULID())) as store:
        begun = perf_counter()
        with store._journal.reading() as connection:  # noqa: SLF001 - the walk alone has no verb of its own
            store._seals.prove(connection, BEGINNING)  # noqa: SLF001 - as above
        before = perf_counter()
        report = store.audit.verify(full=True)
        if not report.ok or report.events < EVENTS:
            raise RuntimeError(f"the record does not hold: {report.because}")
        return before - begun, perf_counter() - before


def fill(home: Path) -> int:
    """Write the events through the store's own ledger, many in one transaction, and leave without closing."""
    store = EventStore.open_at(home, lambda: datetime.now(UTC), lambda: str(ULID()))
    written = 0
    while written < EVENTS:
        with store._journal.writing("user:ana") as ledger:  # noqa: SLF001 - a batch has no verb of its own
            for _ in range(AT_ONCE // PER_INCIDENT):
                written += one_incident(ledger)
    return written


def one_incident(ledger: incidents.Ledger) -> int:
    name = str(ULID())
    alert = Alert(
        source="bench", fingerprint=name, starts_at=ledger.at - timedelta(seconds=1), labels={"alertname": "Bench"}
    )
    seen = incidents.begin(
        ledger, name, lambda number: Opened(number=number, alert=alert, target=None, target_reason="none")
    )
    folded: Incident = seen
    for _ in range(PER_INCIDENT - 2):
        event = Noted(by="user:ana", text=TEXT)
        folded = folded.apply(ledger.append(seen.stream, folded.seq + 1, event, EVENT))
    incidents.extend(ledger, folded, [Noted(by="user:ana", text=TEXT)], ledger.at)
    occurrences.remember(ledger, alert, name)
    return PER_INCIDENT
