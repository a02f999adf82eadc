"""How a visit leaves the server as it was: faults that are written down are taken back, and what we made there goes."""

import time
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

from ratchet.domain.errors import conflict
from ratchet.lab.bystanders import Bystanders
from ratchet.lab.faults import undo_left_over
from ratchet.lab.journal import left_over
from ratchet.lab.lab import Lab
from ratchet.lab.shop import HealthDoor, Shop
from ratchet.lab.visited import Host, host_cluster
from ratchet.security.alone import alone

LEASE = "lease"


@contextmanager
def lease(home: Path, wait_s: float) -> Generator[None]:
    """One at a time visits a server, or takes back what a visit left there. Raises Refusal(CONFLICT) where another
    still does after `wait_s` seconds."""
    deadline = time.monotonic() + wait_s
    while True:
        with alone(home / LEASE) as mine:
            if mine:
                yield
                return
        if time.monotonic() > deadline:
            remedy = "Wait for its end; what it left, if anything: ratchet fault status"
            raise conflict("Another drill is on this server, or is still taken back there.", remedy)


def clear(host: Host, home: Path) -> None:
    """Takes back every fault that stands written down in `home`, then drops our database and roles; may be repeated.

    Nothing is made before: where a fault keeps the shop from being made, it is taken back all the same. Raises
    UndoFailed or psycopg.Error; what was not taken back stands written down.
    """
    cluster = host_cluster(host, home)
    shop = Shop(cluster, None, 0)
    with closing(HealthDoor(shop)) as door:
        lab = Lab(home, 0, cluster, None, shop, Bystanders(cluster, 0, present=False), door)
        if left_over(lab):
            cluster.have_database()
            undo_left_over(lab)
    cluster.destroy()
