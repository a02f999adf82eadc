"""A server hangs (its processes are stopped) while another's incident goes on: when that is known, what it costs."""

import os
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil

from bench.figure import Figure, spread
from bench.scene import Scene, caused, scene, seconds_to
from ratchet.desk.views import TargetRequest
from ratchet.domain.target import SecretRef, Target
from ratchet.lab.binaries import find_binaries
from ratchet.lab.embedded import Cluster
from ratchet.security.private_file import write_private

SICK = "sick-db"
WARM_UP = 2
SAMPLES = 8
GOAL = 10.0
LEFT_AFTER = 15.0
"""Seconds after which what is still open counts as left over."""


def run() -> list[Figure]:
    with ExitStack() as stack:
        here = stack.enter_context(scene())
        server = stack.enter_context(neighbour(here))
        stack.enter_context(caused(here))
        alone = [proposed(here) for _ in range(WARM_UP + SAMPLES)][WARM_UP:]
        held = in_use()
        pairs = [both(here, server) for _ in range(SAMPLES)]
        left = left_over(held)
    return [
        spread("a hung server is told as hung", [hung for hung, _ in pairs], GOAL),
        spread("another's alert to proposal, nobody hung", alone),
        spread("another's alert to proposal, one hung", [other for _, other in pairs]),
        Figure("threads and connections left over", float(left), "more", 0.0),
    ]


def in_use() -> int:
    """Threads and connections of this process."""
    return threading.active_count() + len(psutil.Process().net_connections())


def left_over(held: int) -> int:
    """How many more than before are still there after a while."""
    deadline = time.monotonic() + LEFT_AFTER
    while (more := in_use() - held) > 0 and time.monotonic() < deadline:
        time.sleep(0.1)
    return max(more, 0)


@contextmanager
def neighbour(here: Scene) -> Iterator[Cluster]:
    """Another server, registered."""
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ratchet-bench-")))
        server = stack.enter_context(Cluster.create(place / "root", find_binaries(os.environ)))
        server.add_login("canary")
        for name, dsn in {"admin": server.dsn(), "canary": server.dsn("canary")}.items():
            write_private(place / name, dsn.encode())
        canary, admin = (SecretRef(kind="file", name=str(place / name)) for name in ("canary", "admin"))
        target = Target(name=SICK, kind="postgres", tags=("chaos",), owner="user:default/ana", canary=canary)
        here.house.desk(here.house.operator()).add_target(TargetRequest(target=target, admin=admin))
        yield server


def both(here: Scene, server: Cluster) -> tuple[float, float]:
    """Seconds until the stopped server is told as hung, and until the other's right step is proposed meanwhile."""
    family = [psutil.Process(server.pid), *psutil.Process(server.pid).children(recursive=True)]
    signalled(family, signal.SIGSTOP)
    try:
        name, began = here.alert(target=SICK)
        other = proposed(here)
        seen = here.until(name, "escalated")
    finally:
        signalled(family, signal.SIGCONT)
    if "hung" not in answers(seen):
        raise RuntimeError(f"{name} does not say that the server hangs: {seen['why']}")
    return seconds_to("triage_completed", seen, began, 0), other


def proposed(here: Scene) -> float:
    """Seconds from an alert to the question whether to act; the answer is no."""
    name, began = here.alert()
    seen = here.until(name, "awaiting_approval")
    here.answer(seen, "deny")
    here.until(name, "escalated")
    return seconds_to("approval_requested", seen, began)


def answers(seen: dict[str, Any]) -> set[str]:
    """How probes of the incident were answered."""
    looks = [line["details"]["answers"] for line in seen["timeline"] if line["event"] == "triage_started"]
    return {answer for look in looks for answer in look.values()}


def signalled(family: list[psutil.Process], number: signal.Signals) -> None:
    for process in family:
        if process.is_running():
            process.send_signal(number)
