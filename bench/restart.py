"""From a killed process to a ready one, with a million events behind it: the start walks what no seal covers."""

import os
import subprocess
import sys
import tempfile
import time
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from time import perf_counter
from urllib.parse import urlsplit

from ulid import ULID

from bench.figure import Figure, spread
from ratchet.cli.server_file import running
from ratchet.domain.alert import Alert
from ratchet.domain.incident import Incident
from ratchet.domain.timeline import Closed, Noted, Opened
from ratchet.store import incidents, occurrences
from ratchet.store.encoding import EVENT
from ratchet.store.proof import BEGINNING
from ratchet.store.store import EventStore

EVENTS = int(os.environ.get("RATCHET_BENCH_EVENTS", "1000000"))
PER_INCIDENT = 200
AT_ONCE = 2000
STARTS = 5
TEXT = "A person wrote down what was seen on the server, in about as many words as an event usually has. " * 3
SERVE = ("-c", "import sys; from ratchet.cli import main; sys.exit(main())", "serve", "--port", "0")
"""What the installed program `ratchet` runs."""
PATIENCE = 60.0
LOOK = 0.02
"""Seconds that a start may take before it counts as none, and between two looks at it."""
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
    note = f"{events} events, {size:.0f} MB, written in {filled:.0f} s; no clean close"
    answers, ready = zip(*starts, strict=True)
    return [
        spread("`ratchet serve` after a kill -9, until it answers", list(answers)),
        spread("the same, until `/readyz` says that it is ready", list(ready), goal=2.0),
        Figure("every link walked", links, "s", 15.0, note=note),
        Figure("audit verify --full, which also folds every incident", whole, "s"),
    ]


def begun_and_killed(home: Path) -> tuple[float, float]:
    """Start a server, wait until it answers and until it is ready, and kill it: both in seconds from its start."""
    environ = {name: value for name, value in os.environ.items() if name != BYTECODE}
    environ |= {"PYTHONPYCACHEPREFIX": str(home.parent / "bytecode"), "RATCHET_HOME": str(home)}
    begun = perf_counter()
    server = subprocess.Popen(
        [sys.executable, *SERVE], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environ
    )
    try:
        while not answered(home, begun, server):
            time.sleep(LOOK)
        answers = perf_counter() - begun
        while answered(home, begun, server) != HTTPStatus.OK:
            time.sleep(LOOK)
        return answers, perf_counter() - begun
    finally:
        server.kill()
        server.wait()


def answered(home: Path, begun: float, server: "subprocess.Popen[bytes]") -> int:
    """The status of `/readyz`; 0 while nobody answers. Raises RuntimeError when nobody will."""
    if server.poll() is not None or perf_counter() - begun > PATIENCE:
        raise RuntimeError("the server did not become ready")
    found = running(home)
    if found is None:
        return 0
    where = urlsplit(found.url)
    with suppress(OSError), closing(HTTPConnection(where.hostname or "", where.port, timeout=PATIENCE)) as connection:
        connection.request("GET", "/readyz")
        return connection.getresponse().status
    return 0


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
    """Write the events of incidents that are over through the store's own ledger, and leave without closing."""
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
    incidents.extend(ledger, folded, [Closed(by="user:ana", reason=TEXT[:100])], None)
    occurrences.remember(ledger, alert, name)
    return PER_INCIDENT
