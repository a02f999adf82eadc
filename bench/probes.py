"""What looking costs: every probe asked once of a warm server, and the server's CPU for one incident a minute."""

from datetime import UTC, datetime
from importlib.resources import files
from time import perf_counter

import psutil

from bench.figure import Figure, spread
from bench.scene import TARGET, Scene, scene
from ratchet.domain.evidence import ProbeCall
from ratchet.domain.target import SecretRef, Target
from ratchet.security.redact import Redactor
from ratchet.security.secrets import Secret
from ratchet.tools.postgres.probes import ProbeShelf
from ratchet.tools.registry import Hands

LOOKS = 20
INCIDENTS = 20
MINUTE = 60.0


def run() -> list[Figure]:
    with scene() as here:
        looks, calls, slowest = all_at_once(here)
        here.lab.shop.close()
        each = cpu_of_incidents(here) / INCIDENTS
    note = f"mean of {INCIDENTS}, {each * 1000:.0f} ms each"
    return [
        spread(f"all {calls} probes that need no argument, one look", looks, unit="ms"),
        Figure("the slowest of them", slowest[1], "ms", note=slowest[0]),
        Figure("server CPU at one incident a minute, of one core", 100 * each / MINUTE, "%", note=note),
    ]


def all_at_once(here: Scene) -> tuple[list[float], int, tuple[str, float]]:
    """Seconds per look over sessions of our own, the number of calls, and the slowest probe in milliseconds."""
    shelf = ProbeShelf.load([files("ratchet.library").joinpath("probes/postgres")])
    names = [name for name in shelf.names() if not any(arg.required for arg in shelf.variants(name)[0].args)]
    end = here.lab.endpoint()
    admin = SecretRef(kind="env", name="ADMIN")
    target = Target(name=TARGET, kind="postgres", diag=admin, canary=admin)
    hands = Hands(
        lambda: [target], shelf, lambda _: Secret(end.admin_dsn), Redactor((), b"bench"), lambda: datetime.now(UTC)
    )
    try:
        hands.pointed(TARGET)
        calls = [ProbeCall(probe=name, target=TARGET) for name in names]
        hands.look(calls)
        taken: list[float] = []
        for _ in range(LOOKS):
            before = perf_counter()
            seen = hands.look(calls)
            taken.append(perf_counter() - before)
    finally:
        hands.close()
    last = max(seen, key=lambda one: one.elapsed_ms)
    return taken, len(calls), (last.probe, last.elapsed_ms)


def cpu_of_incidents(here: Scene) -> float:
    """CPU seconds that all processes of the server spent on the incidents together."""
    before = server_cpu(here)
    for _ in range(INCIDENTS):
        name, _began = here.alert()
        here.until(name, "escalated", "awaiting_approval")
    return server_cpu(here) - before


def server_cpu(here: Scene) -> float:
    first = psutil.Process(here.lab.primary.pid)
    total = 0.0
    for process in (first, *first.children(recursive=True)):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        # What ended meanwhile is counted by its parent.
        total += times.user + times.system + times.children_user + times.children_system
    return total
